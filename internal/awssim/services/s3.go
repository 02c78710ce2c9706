package services

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// objectStore keeps buckets. Their names are global; any account may use them, for bucket policies are not modelled.
type objectStore struct {
	w       *world.World
	buckets map[string]*bucket
	uploads map[string]*upload
}

type bucket struct {
	name, region string
	created      time.Time
	objects      map[string]*object
}

type object struct {
	body        []byte
	etag        string // quoted
	contentType string
	metadata    map[string]string
	modified    time.Time
}

const objectsPage = 1000

func registerS3(r *api.Registry, w *world.World) {
	s := &objectStore{w: w, buckets: map[string]*bucket{}, uploads: map[string]*upload{}}
	for _, account := range w.Accounts() {
		for _, region := range account.Spec.Regions {
			for _, name := range region.Buckets {
				s.buckets[name] = &bucket{name: name, region: region.Name, created: w.Start(), objects: map[string]*object{}}
			}
		}
	}
	registerS3Multipart(r, s)
	w.ReadObject = s.read
	api.Handle(r, "s3", "ListBuckets", []string{"MaxBuckets", "Prefix"}, s.listBuckets)
	api.Handle(r, "s3", "CreateBucket", []string{"Bucket", "CreateBucketConfiguration"}, s.createBucket)
	api.Handle(r, "s3", "HeadBucket", []string{"Bucket"}, s.headBucket)
	api.Handle(r, "s3", "DeleteBucket", []string{"Bucket"}, s.deleteBucket)
	api.Handle(r, "s3", "GetBucketLocation", []string{"Bucket"}, s.location)
	api.Handle(
		r, "s3", "PutObject",
		[]string{
			"Bucket", "Key", "Body", "ContentLength", "ContentType", "Metadata", "IfMatch", "IfNoneMatch",
			"ServerSideEncryption", "SSEKMSKeyId", "StorageClass",
		},
		s.put,
	)
	api.Handle(r, "s3", "GetObject", []string{"Bucket", "Key", "Range", "IfMatch", "IfNoneMatch"}, s.get)
	api.Handle(r, "s3", "HeadObject", []string{"Bucket", "Key", "IfMatch", "IfNoneMatch"}, s.head)
	api.Handle(r, "s3", "DeleteObject", []string{"Bucket", "Key", "IfMatch"}, s.delete)
	api.Handle(r, "s3", "DeleteObjects", []string{"Bucket", "Delete"}, s.deleteMany)
	api.Handle(
		r, "s3", "ListObjectsV2",
		[]string{"Bucket", "Prefix", "Delimiter", "MaxKeys", "ContinuationToken", "StartAfter", "FetchOwner", "EncodingType"},
		s.list,
	)
}

// read is how a machine reads an object.
func (s *objectStore) read(_ *world.Region, bucketName, key string) ([]byte, error) {
	stored, err := s.object(&bucketName, &key, nil, nil)
	if err != nil {
		return nil, err
	}
	return stored.body, nil
}

func s3Error(status int, code, message string) *api.Error {
	return &api.Error{Code: code, Message: message, Status: status}
}

func (s *objectStore) bucket(name *string) (*bucket, error) {
	if found := s.buckets[deref(name)]; found != nil {
		return found, nil
	}
	return nil, s3Error(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
}

func (s *objectStore) listBuckets(_ api.Call, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	out := &s3.ListBucketsOutput{Buckets: []types.Bucket{}}
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		if strings.HasPrefix(name, deref(in.Prefix)) {
			out.Buckets = append(out.Buckets, types.Bucket{Name: &name, CreationDate: &s.buckets[name].created})
		}
	}
	return out, nil
}

func (s *objectStore) createBucket(call api.Call, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	if s.buckets[*in.Bucket] != nil {
		return nil, s3Error(
			http.StatusConflict, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it.",
		)
	}
	s.buckets[*in.Bucket] = &bucket{
		name: *in.Bucket, region: call.Region, created: call.Time, objects: map[string]*object{},
	}
	return &s3.CreateBucketOutput{Location: ref("/" + *in.Bucket)}, nil
}

func (s *objectStore) headBucket(_ api.Call, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	found, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, s3Error(http.StatusNotFound, "NotFound", "Not Found")
	}
	return &s3.HeadBucketOutput{BucketRegion: &found.region}, nil
}

func (s *objectStore) deleteBucket(_ api.Call, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	found, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	if len(found.objects) > 0 {
		return nil, s3Error(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	delete(s.buckets, found.name)
	return nil, nil
}

func (s *objectStore) location(_ api.Call, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	found, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketLocationOutput{LocationConstraint: types.BucketLocationConstraint(found.region)}, nil
}

var preconditionFailed = s3Error(
	http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold",
)

func (s *objectStore) put(call api.Call, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	found, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	old := found.objects[*in.Key]
	switch {
	case in.IfNoneMatch != nil && *in.IfNoneMatch != "*":
		return nil, s3Error(
			http.StatusNotImplemented, "NotImplemented",
			"A header you provided implies functionality that is not implemented: If-None-Match other than *",
		)
	case in.IfNoneMatch != nil && old != nil:
		return nil, preconditionFailed
	case in.IfMatch != nil && old == nil:
		return nil, s3Error(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	case in.IfMatch != nil && !sameTag(*in.IfMatch, old.etag):
		return nil, preconditionFailed
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	sum := md5.Sum(body) // an ETag, not a protection
	stored := &object{
		body: body, etag: `"` + hex.EncodeToString(sum[:]) + `"`, contentType: deref(in.ContentType), metadata: in.Metadata,
		modified: call.Time,
	}
	if stored.contentType == "" {
		stored.contentType = "binary/octet-stream"
	}
	found.objects[*in.Key] = stored
	return &s3.PutObjectOutput{ETag: &stored.etag}, nil
}

func sameTag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }

func (s *objectStore) object(bucketName, key, ifMatch, ifNoneMatch *string) (*object, error) {
	found, err := s.bucket(bucketName)
	if err != nil {
		return nil, err
	}
	stored := found.objects[deref(key)]
	switch {
	case stored == nil:
		return nil, s3Error(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	case ifMatch != nil && !sameTag(*ifMatch, stored.etag):
		return nil, preconditionFailed
	case ifNoneMatch != nil && (*ifNoneMatch == "*" || sameTag(*ifNoneMatch, stored.etag)):
		return nil, s3Error(http.StatusNotModified, "NotModified", "Not Modified")
	}
	return stored, nil
}

func (s *objectStore) get(_ api.Call, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	stored, err := s.object(in.Bucket, in.Key, in.IfMatch, in.IfNoneMatch)
	if err != nil {
		return nil, err
	}
	out := &s3.GetObjectOutput{
		ETag: &stored.etag, ContentType: &stored.contentType, Metadata: stored.metadata, LastModified: &stored.modified,
		AcceptRanges: ref("bytes"),
	}
	body := stored.body
	if in.Range != nil {
		first, last, err := parseRange(*in.Range, len(body))
		if err != nil {
			return nil, err
		}
		out.ContentRange = ref(fmt.Sprintf("bytes %d-%d/%d", first, last, len(body)))
		body = body[first : last+1]
	}
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), ref(int64(len(body)))
	return out, nil
}

// parseRange understands bytes=first-last, bytes=first- and bytes=-count.
func parseRange(text string, size int) (first, last int, err error) {
	bad := s3Error(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	from, to, ok := strings.Cut(strings.TrimPrefix(text, "bytes="), "-")
	if !ok || strings.Contains(to, ",") {
		return 0, 0, bad
	}
	last = size - 1
	if to != "" {
		if last, err = strconv.Atoi(to); err != nil {
			return 0, 0, bad
		}
	}
	if from == "" {
		return max(size-last, 0), size - 1, nil
	}
	if first, err = strconv.Atoi(from); err != nil || first >= size || first > last {
		return 0, 0, bad
	}
	return first, min(last, size-1), nil
}

func (s *objectStore) head(_ api.Call, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	stored, err := s.object(in.Bucket, in.Key, in.IfMatch, in.IfNoneMatch)
	if err != nil {
		return nil, err
	}
	return &s3.HeadObjectOutput{
		ETag: &stored.etag, ContentType: &stored.contentType, Metadata: stored.metadata, LastModified: &stored.modified,
		ContentLength: ref(int64(len(stored.body))), AcceptRanges: ref("bytes"),
	}, nil
}

func (s *objectStore) delete(_ api.Call, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	found, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	if in.IfMatch != nil {
		if _, err := s.object(in.Bucket, in.Key, in.IfMatch, nil); err != nil {
			return nil, err
		}
	}
	delete(found.objects, *in.Key) // deleting what is not there succeeds
	return nil, nil
}

func (s *objectStore) deleteMany(_ api.Call, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	found, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	out := &s3.DeleteObjectsOutput{}
	for _, object := range in.Delete.Objects {
		delete(found.objects, deref(object.Key))
		if !deref(in.Delete.Quiet) {
			out.Deleted = append(out.Deleted, types.DeletedObject{Key: object.Key})
		}
	}
	return out, nil
}

func (s *objectStore) list(_ api.Call, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	found, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	prefix, delimiter := deref(in.Prefix), deref(in.Delimiter)
	var entries []string // keys, and common prefixes ending in the delimiter
	for _, key := range slices.Sorted(maps.Keys(found.objects)) {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok || key <= deref(in.StartAfter) {
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
	entries, next, err := page(
		entries, in.ContinuationToken, in.MaxKeys, objectsPage,
		s3Error(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect"),
	)
	if err != nil {
		return nil, err
	}
	out := &s3.ListObjectsV2Output{
		Name: in.Bucket, Delimiter: in.Delimiter, MaxKeys: ref(int32(objectsPage)), KeyCount: number(len(entries)),
		IsTruncated: ref(next != nil), NextContinuationToken: next, ContinuationToken: in.ContinuationToken,
		StartAfter:   in.StartAfter,
		EncodingType: in.EncodingType,
	}
	spelt := func(key string) *string { return &key }
	if in.EncodingType == types.EncodingTypeUrl {
		spelt = urlSpelling
	}
	out.Prefix = spelt(prefix)
	for _, key := range entries {
		stored := found.objects[key]
		if delimiter != "" && strings.Contains(strings.TrimPrefix(key, prefix), delimiter) {
			out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: spelt(key)})
			continue
		}
		out.Contents = append(out.Contents, types.Object{
			Key: spelt(key), ETag: &stored.etag, Size: ref(int64(len(stored.body))), LastModified: &stored.modified,
			StorageClass: types.ObjectStorageClassStandard,
		})
	}
	return out, nil
}

// urlSpelling is a key as encoding-type=url has it: percent signs for all but slashes.
func urlSpelling(key string) *string {
	text := strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(key), "+", "%20"), "%2F", "/")
	return &text
}
