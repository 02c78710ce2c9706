package services

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/digest"
)

// upload is an object that comes in parts.
type upload struct {
	attributes
	bucket, key string
	begun       time.Time
	algorithm   string // of its checksum, as declared; "": S3 makes one of its own
	parts       map[int32]*part
}

type part struct {
	body     []byte
	etag     string
	modified time.Time
}

// S3's limits of uploads (S3 guide, "Multipart upload limits"): every part but the last has 5 MiB.
const (
	smallestPart = 5 << 20
	mostParts    = 10000
	partsPage    = 1000
	uploadsPage  = 1000
)

func registerS3Multipart(r *api.Registry, s *objectStore) {
	upload := fields(s3Owner, []string{"Key", "UploadId"})
	api.Handle(
		r, "s3", "CreateMultipartUpload", fields(s3Owner, s3Object, []string{"ChecksumType"}), s.createUpload,
	)
	api.Handle(r, "s3", "UploadPart", fields(
		upload, s3Checksums, []string{"PartNumber", "Body", "ContentLength", "ContentMD5", "ChecksumAlgorithm"},
	), s.uploadPart)
	api.Handle(
		r, "s3", "UploadPartCopy", fields(upload, s3Source, []string{"PartNumber", "CopySourceRange"}), s.copyPart,
	)
	api.Handle(r, "s3", "ListParts", fields(upload, []string{"MaxParts", "PartNumberMarker"}), s.listParts)
	api.Handle(r, "s3", "ListMultipartUploads", fields(
		s3Owner, []string{"Prefix", "MaxUploads", "KeyMarker", "UploadIdMarker", "EncodingType"},
	), s.listUploads)
	api.Handle(r, "s3", "CompleteMultipartUpload", fields(
		upload, s3Checksums, []string{"MultipartUpload", "IfMatch", "IfNoneMatch", "ChecksumType", "MpuObjectSize"},
	), s.completeUpload)
	api.Handle(r, "s3", "AbortMultipartUpload", upload, s.abortUpload)
}

// checksumTypes are those that each algorithm allows, the default first (S3 guide, "Checking object integrity").
var checksumTypes = map[string][]types.ChecksumType{
	"CRC32":     {types.ChecksumTypeComposite, types.ChecksumTypeFullObject},
	"CRC32C":    {types.ChecksumTypeComposite, types.ChecksumTypeFullObject},
	"CRC64NVME": {types.ChecksumTypeFullObject},
	"SHA1":      {types.ChecksumTypeComposite}, "SHA256": {types.ChecksumTypeComposite},
}

func (s *objectStore) createUpload(
	call api.Call, in *s3.CreateMultipartUploadInput,
) (*s3.CreateMultipartUploadOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner, in.Key)
	if err != nil {
		return nil, err
	}
	a, err := s.attributesOf(call, found, in.Key, in)
	if err != nil {
		return nil, err
	}
	declared := string(in.ChecksumAlgorithm)
	allowed := checksumTypes[declared]
	switch {
	case declared != "" && allowed == nil:
		return nil, api.NotModelled("checksum algorithm %s of S3", declared)
	case declared == "":
		a.ChecksumType = types.ChecksumTypeFullObject
	case in.ChecksumType == "":
		a.ChecksumType = allowed[0]
	case !slices.Contains(allowed, in.ChecksumType):
		return nil, badRequest("InvalidRequest", fmt.Sprintf(
			"The %s checksum type cannot be used with the %s checksum algorithm.", in.ChecksumType, strings.ToLower(declared),
		))
	}
	if declared == "" && in.ChecksumType != "" {
		return nil, badRequest(
			"InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
		)
	}
	id := regionOf(s.w, call).NewUUID("upload")
	s.uploads[id] = &upload{
		attributes: a, bucket: found.name, key: *in.Key, begun: call.Time, algorithm: declared, parts: map[int32]*part{},
	}
	out := &s3.CreateMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: &id, ServerSideEncryption: a.ServerSideEncryption,
		SSEKMSKeyId: a.SSEKMSKeyId, ChecksumAlgorithm: in.ChecksumAlgorithm,
	}
	if declared != "" {
		out.ChecksumType = a.ChecksumType
	}
	return out, nil
}

// upload finds an upload by what every call on it has.
func (s *objectStore) upload(call api.Call, bucket, key, id, owner *string) (*upload, error) {
	if _, err := s.bucket(call, bucket, owner, key); err != nil {
		return nil, err
	}
	found := s.uploads[deref(id)]
	if found == nil || found.bucket != deref(bucket) || found.key != deref(key) {
		return nil, s3Error(
			http.StatusNotFound, "NoSuchUpload",
			"The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been "+
				"aborted or completed.",
		)
	}
	return found, nil
}

// add puts a part into an upload.
func (u *upload) add(call api.Call, number int32, body []byte) (*part, error) {
	if number < 1 || number > mostParts {
		return nil, badRequest("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	sum := md5.Sum(body)
	made := &part{body: body, etag: `"` + hex.EncodeToString(sum[:]) + `"`, modified: call.Time}
	u.parts[number] = made
	return made, nil
}

func (s *objectStore) uploadPart(call api.Call, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	found, err := s.upload(call, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	given, text := checksumOf(in)
	if found.algorithm != "" && given != found.algorithm {
		return nil, badRequest("InvalidRequest", fmt.Sprintf(
			"Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
			strings.ToLower(found.algorithm), strings.ToLower(cmp.Or(given, "null")),
		))
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, fmt.Errorf("read the part: %w", err)
	}
	made, err := found.add(call, deref(in.PartNumber), body)
	if err != nil {
		return nil, err
	}
	out := &s3.UploadPartOutput{
		ETag: &made.etag, ServerSideEncryption: found.ServerSideEncryption, SSEKMSKeyId: found.SSEKMSKeyId,
	}
	if given != "" {
		setChecksum(out, given, text)
	}
	return out, nil
}

func (s *objectStore) copyPart(call api.Call, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	found, err := s.upload(call, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	_, _, from, err := s.find(call, in)
	if err != nil {
		return nil, err
	}
	body := from.body
	if in.CopySourceRange != nil {
		first, last, partial, err := parseRange(*in.CopySourceRange, len(body))
		if err != nil || !partial || last >= len(body) {
			return nil, badRequest("InvalidArgument", "The x-amz-copy-source-range value must be of the form "+
				"bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
		}
		body = body[first : last+1]
	}
	made, err := found.add(call, deref(in.PartNumber), body)
	if err != nil {
		return nil, err
	}
	out := &s3.UploadPartCopyOutput{
		CopyPartResult: &types.CopyPartResult{ETag: &made.etag, LastModified: &made.modified},
		SSEKMSKeyId:    found.SSEKMSKeyId, ServerSideEncryption: found.ServerSideEncryption,
	}
	if found.algorithm != "" {
		setChecksum(out.CopyPartResult, found.algorithm, digest.Text(found.algorithm, body))
	}
	return out, nil
}

func (s *objectStore) listParts(call api.Call, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	found, err := s.upload(call, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	after, most := 0, min(int(deref(in.MaxParts)), partsPage)
	if in.PartNumberMarker != nil {
		if after, err = strconv.Atoi(*in.PartNumberMarker); err != nil || after < 0 {
			return nil, badRequest("InvalidArgument", "Argument part-number-marker must be an integer between 0 and 2147483647")
		}
	}
	switch {
	case in.MaxParts == nil:
		most = partsPage
	case most < 0:
		return nil, badRequest("InvalidArgument", "Argument max-parts must be an integer between 0 and 2147483647")
	}
	out := &s3.ListPartsOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, IsTruncated: ref(false), MaxParts: number(most),
		PartNumberMarker: ref(strconv.Itoa(after)), StorageClass: found.StorageClass,
		ChecksumAlgorithm: types.ChecksumAlgorithm(found.algorithm),
		Owner:             &types.Owner{ID: ref(canonicalID(call.Account))},
	}
	for _, n := range slices.Sorted(maps.Keys(found.parts)) {
		if int(n) <= after {
			continue
		}
		if len(out.Parts) == most {
			out.IsTruncated = ref(true)
			break
		}
		each := found.parts[n]
		shown := types.Part{
			PartNumber: &n, ETag: &each.etag, Size: ref(int64(len(each.body))), LastModified: &each.modified,
		}
		if found.algorithm != "" {
			setChecksum(&shown, found.algorithm, digest.Text(found.algorithm, each.body))
		}
		out.Parts, out.NextPartNumberMarker = append(out.Parts, shown), ref(strconv.Itoa(int(n)))
	}
	return out, nil
}

func (s *objectStore) listUploads(
	call api.Call, in *s3.ListMultipartUploadsInput,
) (*s3.ListMultipartUploadsOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	spelt, err := spelling(in.EncodingType)
	if err != nil {
		return nil, err
	}
	most := uploadsPage
	if in.MaxUploads != nil {
		most = min(int(*in.MaxUploads), uploadsPage)
	}
	out := &s3.ListMultipartUploadsOutput{
		Bucket: in.Bucket, MaxUploads: number(most), IsTruncated: ref(false), Prefix: spelt(deref(in.Prefix)),
		KeyMarker: spelt(deref(in.KeyMarker)), UploadIdMarker: ref(deref(in.UploadIdMarker)),
		EncodingType: in.EncodingType,
	}
	ids := slices.SortedFunc(maps.Keys(s.uploads), func(a, b string) int {
		return strings.Compare(s.uploads[a].key+"\x00"+a, s.uploads[b].key+"\x00"+b)
	})
	for _, id := range ids {
		each := s.uploads[id]
		after := each.key > deref(in.KeyMarker) ||
			each.key == deref(in.KeyMarker) && in.UploadIdMarker != nil && id > *in.UploadIdMarker
		if each.bucket != found.name || !strings.HasPrefix(each.key, deref(in.Prefix)) || !after {
			continue
		}
		if len(out.Uploads) >= most {
			out.IsTruncated = ref(true)
			break
		}
		out.Uploads = append(out.Uploads, types.MultipartUpload{
			Key: spelt(each.key), UploadId: &id, Initiated: &each.begun, StorageClass: each.StorageClass,
			ChecksumAlgorithm: types.ChecksumAlgorithm(each.algorithm),
			Owner:             &types.Owner{ID: ref(canonicalID(found.account))},
			Initiator:         &types.Initiator{ID: &call.Caller},
		})
		out.NextKeyMarker, out.NextUploadIdMarker = spelt(each.key), &id
	}
	return out, nil
}

func (s *objectStore) abortUpload(
	call api.Call, in *s3.AbortMultipartUploadInput,
) (*s3.AbortMultipartUploadOutput, error) {
	if _, err := s.upload(call, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	delete(s.uploads, *in.UploadId)
	return nil, nil
}

// sumOf is the checksum of the object that parts make: of the whole body, or of the parts' checksums, with their
// number.
func (u *upload) sumOf(body []byte, parts []*part) (algorithm, text string) {
	algorithm = u.algorithm
	if algorithm == "" {
		algorithm = defaultChecksum
	}
	if u.ChecksumType == types.ChecksumTypeFullObject {
		return algorithm, digest.Text(algorithm, body)
	}
	var sums []byte
	for _, each := range parts {
		sums = append(sums, digest.Sum(algorithm, each.body)...)
	}
	return algorithm, base64.StdEncoding.EncodeToString(digest.Sum(algorithm, sums)) + "-" + strconv.Itoa(len(parts))
}
