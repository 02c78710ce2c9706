package services

import (
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/digest"
)

// source is what a copy reads and under which conditions.
type source struct {
	CopySource                                                                            *string
	ExpectedSourceBucketOwner                                                             *string
	CopySourceIfMatch, CopySourceIfNoneMatch                                              *string
	CopySourceIfModifiedSince, CopySourceIfUnmodifiedSince                                *time.Time
	CopySourceSSECustomerAlgorithm, CopySourceSSECustomerKey, CopySourceSSECustomerKeyMD5 *string
}

// copySource reads x-amz-copy-source: BUCKET/KEY, URL-encoded, with a slash before it or not.
func copySource(text string) (bucket, key string, err error) {
	path, version, _ := strings.Cut(text, "?")
	path, err = url.PathUnescape(strings.TrimPrefix(path, "/"))
	bucket, key, ok := strings.Cut(path, "/")
	switch {
	case version != "":
		return "", "", api.NotModelled("a version of x-amz-copy-source")
	case strings.HasPrefix(path, "arn:"):
		return "", "", api.NotModelled("an access point of x-amz-copy-source")
	case err != nil || !ok || bucket == "" || key == "":
		return "", "", badRequest(
			"InvalidArgument", "Invalid copy source bucket name. Copy Source must mention the source bucket and key: "+
				"sourcebucket/sourcekey",
		)
	}
	return bucket, key, nil
}

// find finds what is copied. The source may be in another region: the request goes to the copy's.
func (s *objectStore) find(call api.Call, in any) (bucketName, key string, stored *object, err error) {
	var from source
	carry(&from, in)
	bucketName, key, err = copySource(deref(from.CopySource))
	if err != nil {
		return "", "", nil, err
	}
	found := s.buckets[bucketName]
	if found == nil {
		return "", "", nil, noSuchBucket
	}
	if err = found.usable(call, "s3:GetObject", from.ExpectedSourceBucketOwner, &key); err != nil {
		return "", "", nil, err
	}
	if stored, err = found.object(key); err != nil {
		return "", "", nil, err
	}
	if err = stored.opens(wishes{
		SSECustomerAlgorithm: from.CopySourceSSECustomerAlgorithm, SSECustomerKey: from.CopySourceSSECustomerKey,
		SSECustomerKeyMD5: from.CopySourceSSECustomerKeyMD5,
	}); err != nil {
		return "", "", nil, err
	}
	unmet := conditions{
		IfMatch: from.CopySourceIfMatch, IfNoneMatch: from.CopySourceIfNoneMatch,
		IfModifiedSince: from.CopySourceIfModifiedSince, IfUnmodifiedSince: from.CopySourceIfUnmodifiedSince,
	}.met(stored)
	if unmet != nil {
		return "", "", nil, preconditionFailed // there is no 304 of a copy
	}
	if stored.StorageClass == types.StorageClassGlacier || stored.StorageClass == types.StorageClassDeepArchive {
		return "", "", nil, objectArchived
	}
	return bucketName, key, stored, nil
}

func (s *objectStore) copy(call api.Call, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	into, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner, in.Key)
	if err != nil {
		return nil, err
	}
	bucketName, key, from, err := s.find(call, in)
	if err != nil {
		return nil, err
	}
	a, err := s.attributesOf(call, into, in.Key, in)
	if err != nil {
		return nil, err
	}
	replace := in.MetadataDirective == types.MetadataDirectiveReplace
	changes := replace || in.StorageClass != "" || in.ServerSideEncryption != "" || in.SSECustomerKey != nil
	switch {
	case in.MetadataDirective != "" && in.MetadataDirective != types.MetadataDirectiveCopy && !replace:
		return nil, badRequest("InvalidArgument", "Unknown metadata directive.")
	case in.TaggingDirective != "" && in.TaggingDirective != types.TaggingDirectiveCopy &&
		in.TaggingDirective != types.TaggingDirectiveReplace:
		return nil, badRequest("InvalidArgument", "Unknown tagging directive.")
	case bucketName == into.name && key == *in.Key && !changes:
		return nil, badRequest("InvalidRequest", "This copy request is illegal because it is trying to copy an object to "+
			"itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if !replace {
		a.ContentType, a.ContentEncoding, a.ContentLanguage = from.ContentType, from.ContentEncoding, from.ContentLanguage
		a.ContentDisposition, a.CacheControl, a.Expires = from.ContentDisposition, from.CacheControl, from.Expires
		a.Metadata = from.Metadata
	}
	algorithm := string(in.ChecksumAlgorithm)
	if algorithm == "" {
		algorithm = from.algorithm()
	}
	if digest.Sum(algorithm, nil) == nil {
		return nil, api.NotModelled("checksum algorithm %s of S3", algorithm)
	}
	a.setSum(algorithm, digest.Text(algorithm, from.body))
	stored := newObject(call, from.body, a)
	if err := into.keep(*in.Key, stored, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	out := &s3.CopyObjectOutput{
		CopyObjectResult: &types.CopyObjectResult{ETag: &stored.etag, LastModified: &stored.modified},
	}
	carry(out, &stored.attributes)
	carry(out.CopyObjectResult, &stored.attributes)
	return out, nil
}
