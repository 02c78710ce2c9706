package services

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/digest"
)

func (s *objectStore) completeUpload(
	call api.Call, in *s3.CompleteMultipartUploadInput,
) (*s3.CompleteMultipartUploadOutput, error) {
	found, err := s.upload(call, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	parts, err := found.chosen(in.MultipartUpload)
	if err != nil {
		return nil, err
	}
	var body, sums []byte
	for _, each := range parts {
		sum := md5.Sum(each.body)
		body, sums = append(body, each.body...), append(sums, sum[:]...)
	}
	if in.MpuObjectSize != nil && *in.MpuObjectSize != int64(len(body)) {
		return nil, badRequest("InvalidRequest", fmt.Sprintf(
			"The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *in.MpuObjectSize,
			len(body),
		))
	}
	algorithm, text := found.sumOf(body, parts)
	if in.ChecksumType != "" && in.ChecksumType != found.ChecksumType {
		return nil, badRequest("InvalidRequest", "The upload was created using the "+string(found.ChecksumType)+
			" checksum mode. The complete request must use the same checksum mode.")
	}
	if given, expected := checksumOf(in); given != "" && (given != algorithm || expected != text) {
		return nil, badRequest("BadDigest", "The "+given+" you specified did not match the calculated checksum.")
	}
	stored := &object{attributes: found.attributes, body: body, modified: call.Time}
	stored.setSum(algorithm, text)
	sum := md5.Sum(sums)
	stored.etag = fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(sum[:]), len(parts))
	if err := s.buckets[found.bucket].keep(*in.Key, stored, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	delete(s.uploads, *in.UploadId)
	out := &s3.CompleteMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, ETag: &stored.etag,
		Location: ref("https://" + *in.Bucket + ".s3." + call.Region + ".amazonaws.com/" + *in.Key),
	}
	carry(out, &stored.attributes)
	return out, nil
}

// chosen are the parts that a completed upload is made of.
func (u *upload) chosen(wanted *types.CompletedMultipartUpload) ([]*part, error) {
	if wanted == nil || len(wanted.Parts) == 0 || len(wanted.Parts) > mostParts {
		return nil, badXML
	}
	var parts []*part
	if !inOrder(wanted.Parts) {
		return nil, badRequest(
			"InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.",
		)
	}
	for n, each := range wanted.Parts {
		number := deref(each.PartNumber)
		uploaded := u.parts[number]
		switch {
		case uploaded == nil || !sameTag(uploaded.etag, deref(each.ETag)) || !u.agrees(&each, uploaded):
			return nil, badRequest(
				"InvalidPart",
				"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "+
					"entity tag may not match the part's entity tag.",
			)
		case u.ChecksumType == types.ChecksumTypeComposite && !hasChecksum(&each):
			return nil, badRequest("InvalidRequest", fmt.Sprintf(
				"The upload was created using a %s checksum. The complete request must include the checksum for each part. It "+
					"was missing for part %d in the request.", strings.ToLower(u.algorithm), number,
			))
		case len(uploaded.body) < smallestPart && n < len(wanted.Parts)-1:
			return nil, badRequest("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		parts = append(parts, uploaded)
	}
	return parts, nil
}

// inOrder reports whether parts come in the order of their numbers, none twice.
func inOrder(parts []types.CompletedPart) bool {
	for n := 1; n < len(parts); n++ {
		if deref(parts[n].PartNumber) <= deref(parts[n-1].PartNumber) {
			return false
		}
	}
	return true
}

// agrees compares a part's checksum, where one is given.
func (u *upload) agrees(wanted *types.CompletedPart, uploaded *part) bool {
	algorithm, text := checksumOf(wanted)
	return algorithm == "" || text == digest.Text(algorithm, uploaded.body)
}

func hasChecksum(part *types.CompletedPart) bool {
	algorithm, _ := checksumOf(part)
	return algorithm != ""
}
