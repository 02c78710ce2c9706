package services

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// upload is an object that comes in parts.
type upload struct {
	bucket, key, contentType string
	metadata                 map[string]string
	parts                    map[int32]*part
}

type part struct {
	body     []byte
	etag     string
	modified time.Time
}

// smallestPart is how large every part but the last must be.
const smallestPart = 5 << 20

func registerS3Multipart(r *api.Registry, s *objectStore) {
	api.Handle(
		r, "s3", "CreateMultipartUpload",
		[]string{"Bucket", "Key", "ContentType", "Metadata", "ServerSideEncryption", "SSEKMSKeyId", "StorageClass"},
		s.createUpload,
	)
	api.Handle(
		r, "s3", "UploadPart", []string{"Bucket", "Key", "UploadId", "PartNumber", "Body", "ContentLength"}, s.uploadPart,
	)
	api.Handle(r, "s3", "ListParts", []string{"Bucket", "Key", "UploadId"}, s.listParts)
	api.Handle(
		r, "s3", "CompleteMultipartUpload",
		[]string{"Bucket", "Key", "UploadId", "MultipartUpload", "IfMatch", "IfNoneMatch"}, s.completeUpload,
	)
	api.Handle(r, "s3", "AbortMultipartUpload", []string{"Bucket", "Key", "UploadId"}, s.abortUpload)
}

func (s *objectStore) createUpload(
	call api.Call, in *s3.CreateMultipartUploadInput,
) (*s3.CreateMultipartUploadOutput, error) {
	if _, err := s.bucket(in.Bucket); err != nil {
		return nil, err
	}
	id := regionOf(s.w, call).NewUUID("upload")
	s.uploads[id] = &upload{
		bucket: *in.Bucket, key: *in.Key, contentType: deref(in.ContentType), metadata: in.Metadata, parts: map[int32]*part{},
	}
	return &s3.CreateMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, UploadId: &id}, nil
}

func (s *objectStore) upload(bucket, key, id *string) (*upload, error) {
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

func (s *objectStore) uploadPart(call api.Call, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	found, err := s.upload(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	number := deref(in.PartNumber)
	if number < 1 || number > 10000 {
		return nil, s3Error(
			http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive",
		)
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, fmt.Errorf("read the part: %w", err)
	}
	sum := md5.Sum(body)
	made := &part{body: body, etag: `"` + hex.EncodeToString(sum[:]) + `"`, modified: call.Time}
	found.parts[number] = made
	return &s3.UploadPartOutput{ETag: &made.etag}, nil
}

func (s *objectStore) listParts(_ api.Call, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	found, err := s.upload(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	out := &s3.ListPartsOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, IsTruncated: ref(false), MaxParts: number(1000),
	}
	for _, n := range slices.Sorted(maps.Keys(found.parts)) {
		each := found.parts[n]
		out.Parts = append(
			out.Parts,
			types.Part{PartNumber: &n, ETag: &each.etag, Size: ref(int64(len(each.body))), LastModified: &each.modified},
		)
	}
	return out, nil
}

func (s *objectStore) completeUpload(
	call api.Call, in *s3.CompleteMultipartUploadInput,
) (*s3.CompleteMultipartUploadOutput, error) {
	found, err := s.upload(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, s3Error(
			http.StatusBadRequest, "MalformedXML",
			"The XML you provided was not well-formed or did not validate against our published schema",
		)
	}
	var body, sums []byte
	last := int32(0)
	for n, wanted := range in.MultipartUpload.Parts {
		number := deref(wanted.PartNumber)
		each := found.parts[number]
		switch {
		case number <= last:
			return nil, s3Error(
				http.StatusBadRequest, "InvalidPartOrder",
				"The list of parts was not in ascending order. Parts must be ordered by part number.",
			)
		case each == nil || !sameTag(each.etag, deref(wanted.ETag)):
			return nil, s3Error(
				http.StatusBadRequest, "InvalidPart",
				"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "+
					"entity tag may not match the part's entity tag.",
			)
		case len(each.body) < smallestPart && n < len(in.MultipartUpload.Parts)-1:
			return nil, s3Error(
				http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
			)
		}
		last = number
		sum := md5.Sum(each.body)
		body, sums = append(body, each.body...), append(sums, sum[:]...)
	}
	sum := md5.Sum(sums)
	etag := fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(sum[:]), len(in.MultipartUpload.Parts))
	put := &s3.PutObjectInput{
		Bucket: in.Bucket, Key: in.Key, Body: bytes.NewReader(body), Metadata: found.metadata, IfMatch: in.IfMatch,
		IfNoneMatch: in.IfNoneMatch,
		ContentType: given(found.contentType),
	}
	if _, err := s.put(call, put); err != nil {
		return nil, err
	}
	s.buckets[*in.Bucket].objects[*in.Key].etag = etag
	delete(s.uploads, *in.UploadId)
	return &s3.CompleteMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, ETag: &etag, Location: ref("/" + *in.Bucket + "/" + *in.Key),
	}, nil
}

func (s *objectStore) abortUpload(
	_ api.Call, in *s3.AbortMultipartUploadInput,
) (*s3.AbortMultipartUploadOutput, error) {
	if _, err := s.upload(in.Bucket, in.Key, in.UploadId); err != nil {
		return nil, err
	}
	delete(s.uploads, *in.UploadId)
	return nil, nil
}
