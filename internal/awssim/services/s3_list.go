package services

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

const objectsPage = 1000

// listing are the keys of a list in order, and common prefixes, which end in the delimiter.
func (b *bucket) listing(prefix, delimiter, after string) (entries []string) {
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok || key <= after {
			continue
		}
		if at := strings.Index(rest, delimiter); delimiter != "" && at >= 0 {
			key = prefix + rest[:at+len(delimiter)]
			if len(entries) > 0 && entries[len(entries)-1] == key {
				continue
			}
		}
		entries = append(entries, key)
	}
	return entries
}

func (s *objectStore) list(call api.Call, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	spelt, err := spelling(in.EncodingType)
	if err != nil {
		return nil, err
	}
	if in.MaxKeys != nil && *in.MaxKeys < 0 {
		return nil, badRequest("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
	}
	prefix, delimiter := deref(in.Prefix), deref(in.Delimiter)
	entries, next := found.listing(prefix, delimiter, deref(in.StartAfter)), (*string)(nil)
	most := ref(min(objectsPage, deref(in.MaxKeys)))
	if in.MaxKeys == nil {
		most = ref(int32(objectsPage))
	}
	if *most == 0 { // nothing is asked for and nothing is left
		entries = nil
	} else if entries, next, err = page(entries, in.ContinuationToken, most, objectsPage, badContinuation); err != nil {
		return nil, err
	}
	out := &s3.ListObjectsV2Output{
		Name: in.Bucket, MaxKeys: most, KeyCount: number(len(entries)), IsTruncated: ref(next != nil),
		NextContinuationToken: next, ContinuationToken: in.ContinuationToken, EncodingType: in.EncodingType,
		Prefix: spelt(prefix),
	}
	if in.Delimiter != nil {
		out.Delimiter = spelt(delimiter)
	}
	if in.StartAfter != nil {
		out.StartAfter = spelt(*in.StartAfter)
	}
	for _, key := range entries {
		stored := found.objects[key]
		if delimiter != "" && strings.Contains(strings.TrimPrefix(key, prefix), delimiter) {
			out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: spelt(key)})
			continue
		}
		shown := types.Object{
			Key: spelt(key), ETag: &stored.etag, Size: ref(int64(len(stored.body))), LastModified: &stored.modified,
			StorageClass: types.ObjectStorageClass(stored.StorageClass), ChecksumType: stored.ChecksumType,
			ChecksumAlgorithm: []types.ChecksumAlgorithm{types.ChecksumAlgorithm(stored.algorithm())},
		}
		if deref(in.FetchOwner) {
			shown.Owner = &types.Owner{ID: ref(canonicalID(found.account))}
		}
		out.Contents = append(out.Contents, shown)
	}
	return out, nil
}

// listOld is the list of older tools, which goes on behind a marker: the last key or prefix of the page before.
func (s *objectStore) listOld(call api.Call, in *s3.ListObjectsInput) (*s3.ListObjectsOutput, error) {
	after, err := s.list(call, &s3.ListObjectsV2Input{
		Bucket: in.Bucket, ExpectedBucketOwner: in.ExpectedBucketOwner, Prefix: in.Prefix, Delimiter: in.Delimiter,
		MaxKeys: in.MaxKeys, EncodingType: in.EncodingType, StartAfter: behind(in.Marker, in.Delimiter),
		FetchOwner: ref(true),
	})
	if err != nil {
		return nil, err
	}
	out := &s3.ListObjectsOutput{
		Name: after.Name, Prefix: after.Prefix, Delimiter: after.Delimiter, MaxKeys: after.MaxKeys,
		EncodingType: after.EncodingType, IsTruncated: after.IsTruncated, Contents: after.Contents,
		CommonPrefixes: after.CommonPrefixes, Marker: ref(deref(in.Marker)),
	}
	if in.EncodingType != "" && in.Marker != nil {
		out.Marker = ref(strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(*in.Marker), "+", "%20"), "%2F", "/"))
	}
	// It is told only where a delimiter is: without one the last key says as much (API reference of ListObjects).
	if *out.IsTruncated && in.Delimiter != nil {
		last := ""
		if n := len(after.Contents); n > 0 {
			last = *after.Contents[n-1].Key
		}
		if n := len(after.CommonPrefixes); n > 0 {
			last = max(last, *after.CommonPrefixes[n-1].Prefix)
		}
		out.NextMarker = &last
	}
	return out, nil
}

// behind is what a list begins after for a marker: behind all keys of a prefix that was told as one.
func behind(marker, delimiter *string) *string {
	if end := deref(delimiter); end != "" && strings.HasSuffix(deref(marker), end) {
		return ref(*marker + "\U0010FFFF")
	}
	return marker
}

// spelling is how a list's keys are spelt: plain, or as encoding-type=url has it, percent signs for all but slashes.
func spelling(encoding types.EncodingType) (func(string) *string, error) {
	switch encoding {
	case "":
		return func(key string) *string { return &key }, nil
	case types.EncodingTypeUrl:
		return func(key string) *string {
			text := strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(key), "+", "%20"), "%2F", "/")
			return &text
		}, nil
	}
	return nil, badRequest("InvalidArgument", "Invalid Encoding Method specified in Request")
}
