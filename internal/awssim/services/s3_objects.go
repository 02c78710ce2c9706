package services

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

type object struct {
	attributes
	body     []byte
	etag     string // quoted
	modified time.Time
}

// attributes are what a put gives to an object beside its body, under S3's names.
type attributes struct {
	ContentType, ContentEncoding, ContentDisposition, ContentLanguage, CacheControl *string

	Expires  *time.Time
	Metadata map[string]string

	StorageClass         types.StorageClass
	ServerSideEncryption types.ServerSideEncryption
	SSEKMSKeyId          *string
	SSECustomerAlgorithm *string
	SSECustomerKeyMD5    *string

	ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 *string

	ChecksumType types.ChecksumType
}

// Limits of S3's guide: a key's bytes, and those of an object's own metadata.
const (
	longestKey      = 1024
	largestMetadata = 2048
)

// attributesOf reads and checks what a put, a copy or an upload wants an object to be like.
func (s *objectStore) attributesOf(call api.Call, into *bucket, key *string, in any) (attributes, error) {
	a, wish := attributes{}, wishes{}
	carry(&a, in)
	carry(&wish, in)
	size := 0
	for name, value := range a.Metadata {
		size += len(name) + len(value)
	}
	switch {
	case len(deref(key)) > longestKey:
		return a, badRequest("KeyTooLongError", "Your key is too long")
	case size > largestMetadata:
		return a, badRequest("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	for _, check := range []func() error{
		wish.check, func() error { return a.setClass() }, func() error { return s.encrypt(call, into, &a, wish) },
	} {
		if err := check(); err != nil {
			return a, err
		}
	}
	if deref(a.ContentType) == "" {
		a.ContentType = ref("binary/octet-stream")
	}
	return a, nil
}

// wishes are what a plain bucket refuses, and a customer's key.
type wishes struct {
	ACL                                                     types.ObjectCannedACL
	GrantFullControl, GrantRead, GrantReadACP               *string
	GrantWriteACP                                           *string
	ObjectLockMode                                          types.ObjectLockMode
	ObjectLockRetainUntilDate                               *time.Time
	ObjectLockLegalHoldStatus                               types.ObjectLockLegalHoldStatus
	SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 *string
}

// check refuses locks, for no bucket here has them on (S3 guide, Object Lock), and access control lists, for every
// bucket enforces its owner (S3 guide, "Controlling ownership of objects").
func (w wishes) check() error {
	switch granted := w.GrantFullControl != nil || w.GrantRead != nil || w.GrantReadACP != nil || w.GrantWriteACP != nil; {
	case (w.ObjectLockMode == "") != (w.ObjectLockRetainUntilDate == nil):
		return badRequest(
			"InvalidArgument", "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
		)
	case w.ObjectLockMode != "" || w.ObjectLockLegalHoldStatus != "":
		return badRequest("InvalidRequest", "Bucket is missing Object Lock Configuration")
	case granted || w.ACL != "" && w.ACL != types.ObjectCannedACLBucketOwnerFullControl:
		return badRequest("AccessControlListNotSupported", "The bucket does not allow ACLs")
	}
	return nil
}

// classes are the storage classes of a general purpose bucket.
var classes = []types.StorageClass{
	types.StorageClassStandard, types.StorageClassReducedRedundancy, types.StorageClassStandardIa,
	types.StorageClassOnezoneIa, types.StorageClassIntelligentTiering, types.StorageClassGlacier,
	types.StorageClassGlacierIr, types.StorageClassDeepArchive,
}

func (a *attributes) setClass() error {
	if a.StorageClass == "" {
		a.StorageClass = types.StorageClassStandard
	}
	if !slices.Contains(classes, a.StorageClass) {
		return badRequest("InvalidStorageClass", "The storage class you specified is not valid")
	}
	return nil
}

var preconditionFailed = s3Error(
	http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold",
)

// objectArchived is the answer to reading what would have to be restored first.
var objectArchived = s3Error(
	http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class",
)

func (s *objectStore) put(call api.Call, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner, in.Key)
	if err != nil {
		return nil, err
	}
	a, err := s.attributesOf(call, found, in.Key, in)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	stored := newObject(call, body, a)
	if err := found.keep(*in.Key, stored, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	out := &s3.PutObjectOutput{ETag: &stored.etag}
	carry(out, &stored.attributes)
	return out, nil
}

func newObject(call api.Call, body []byte, a attributes) *object {
	made := &object{attributes: a, body: body, modified: call.Time}
	made.etag = made.tag()
	made.sum()
	return made
}

// keep puts an object into a bucket under the conditions of a conditional write.
func (b *bucket) keep(key string, stored *object, ifMatch, ifNoneMatch *string) error {
	old := b.objects[key]
	switch {
	case ifNoneMatch != nil && *ifNoneMatch != "*":
		return s3Error(
			http.StatusNotImplemented, "NotImplemented",
			"A header you provided implies functionality that is not implemented: If-None-Match other than *",
		)
	case ifNoneMatch != nil && old != nil:
		return preconditionFailed
	case ifMatch != nil && old == nil:
		return noSuchKey
	case ifMatch != nil && !sameTag(*ifMatch, old.etag):
		return preconditionFailed
	}
	b.objects[key] = stored
	return nil
}

func sameTag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }

func (b *bucket) object(key string) (*object, error) {
	if stored := b.objects[key]; stored != nil {
		return stored, nil
	}
	return nil, noSuchKey
}

// conditions of a read.
type conditions struct {
	IfMatch, IfNoneMatch               *string
	IfModifiedSince, IfUnmodifiedSince *time.Time
}

// met compares an object with conditions; a tag goes before a time (API reference of GetObject).
func (c conditions) met(stored *object) error {
	second := stored.modified.Truncate(time.Second)
	switch {
	case c.IfMatch != nil && !sameTag(*c.IfMatch, stored.etag),
		c.IfMatch == nil && c.IfUnmodifiedSince != nil && second.After(*c.IfUnmodifiedSince):
		return preconditionFailed
	case c.IfNoneMatch != nil && (*c.IfNoneMatch == "*" || sameTag(*c.IfNoneMatch, stored.etag)),
		c.IfNoneMatch == nil && c.IfModifiedSince != nil && !second.After(*c.IfModifiedSince):
		return s3Error(http.StatusNotModified, "NotModified", "Not Modified")
	}
	return nil
}

func (s *objectStore) get(call api.Call, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	stored, err := s.readable(call, in.Bucket, in.ExpectedBucketOwner, in.Key, in)
	if err != nil {
		return nil, err
	}
	if stored.StorageClass == types.StorageClassGlacier || stored.StorageClass == types.StorageClassDeepArchive {
		return nil, objectArchived
	}
	out := &s3.GetObjectOutput{ETag: &stored.etag, LastModified: &stored.modified, AcceptRanges: ref("bytes")}
	shown := stored.shown(in.ChecksumMode == types.ChecksumModeEnabled && in.Range == nil)
	carry(out, &shown)
	out.Expires, out.ExpiresString = nil, httpTime(stored.Expires) //nolint:staticcheck // the header is the text
	body := stored.body
	if in.Range != nil {
		first, last, partial, err := parseRange(*in.Range, len(body))
		if err != nil {
			return nil, err
		}
		if partial {
			out.ContentRange = ref(fmt.Sprintf("bytes %d-%d/%d", first, last, len(body)))
			body = body[first : last+1]
		}
	}
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), ref(int64(len(body)))
	return out, nil
}

// readable finds an object and asks the conditions and the key of a read.
func (s *objectStore) readable(call api.Call, bucket, owner, key *string, in any) (*object, error) {
	found, err := s.bucket(call, bucket, owner, key)
	if err != nil {
		return nil, err
	}
	stored, err := found.object(deref(key))
	if err != nil {
		return nil, err
	}
	var c conditions
	var secret wishes
	carry(&c, in)
	carry(&secret, in)
	if err := stored.opens(secret); err != nil {
		return nil, err
	}
	return stored, c.met(stored)
}

// shown are the attributes that a reply tells: STANDARD is not, checksums only when they are asked for.
func (o *object) shown(checksums bool) attributes {
	shown := o.attributes
	if shown.StorageClass == types.StorageClassStandard {
		shown.StorageClass = ""
	}
	if !checksums {
		shown.clearSums()
	}
	return shown
}

func httpTime(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return ref(t.UTC().Format(http.TimeFormat))
}

// parseRange understands bytes=first-last, bytes=first- and bytes=-count. What is none of them, and several ranges, are
// answered with the whole object.
func parseRange(text string, size int) (first, last int, partial bool, err error) {
	bad := s3Error(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	given, isBytes := strings.CutPrefix(text, "bytes=")
	from, to, ok := strings.Cut(given, "-")
	if !isBytes || !ok || from == "" && to == "" {
		return 0, 0, false, nil
	}
	last = size - 1
	if to != "" {
		if last, err = strconv.Atoi(to); err != nil {
			return 0, 0, false, nil
		}
	}
	if from == "" {
		if last == 0 || size == 0 {
			return 0, 0, false, bad
		}
		return max(size-last, 0), size - 1, true, nil
	}
	switch first, err = strconv.Atoi(from); {
	case err != nil, to != "" && first > last:
		return 0, 0, false, nil
	case first >= size:
		return 0, 0, false, bad
	}
	return first, min(last, size-1), true, nil
}

func (s *objectStore) head(call api.Call, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	stored, err := s.readable(call, in.Bucket, in.ExpectedBucketOwner, in.Key, in)
	if err != nil {
		return nil, err
	}
	out := &s3.HeadObjectOutput{
		ETag: &stored.etag, LastModified: &stored.modified, ContentLength: ref(int64(len(stored.body))),
		AcceptRanges: ref("bytes"),
	}
	shown := stored.shown(in.ChecksumMode == types.ChecksumModeEnabled)
	carry(out, &shown)
	out.Expires, out.ExpiresString = nil, httpTime(stored.Expires) //nolint:staticcheck // the header is the text
	return out, nil
}

// notLockable refuses what only a bucket with Object Lock takes.
func notLockable(bypass *bool) error {
	if deref(bypass) {
		return badRequest(
			"InvalidArgument", "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
		)
	}
	return nil
}

func (s *objectStore) delete(call api.Call, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner, in.Key)
	if err != nil {
		return nil, err
	}
	if err := notLockable(in.BypassGovernanceRetention); err != nil {
		return nil, err
	}
	if in.IfMatch != nil {
		stored, err := found.object(*in.Key)
		if err != nil {
			return nil, err
		}
		if *in.IfMatch != "*" && !sameTag(*in.IfMatch, stored.etag) {
			return nil, preconditionFailed
		}
	}
	delete(found.objects, *in.Key) // deleting what is not there succeeds
	return nil, nil
}

// mostDeletions is how many keys one DeleteObjects takes.
const mostDeletions = 1000

func (s *objectStore) deleteMany(call api.Call, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner, ref("*"))
	if err != nil {
		return nil, err
	}
	if err := notLockable(in.BypassGovernanceRetention); err != nil {
		return nil, err
	}
	if len(in.Delete.Objects) == 0 || len(in.Delete.Objects) > mostDeletions {
		return nil, badXML
	}
	for _, each := range in.Delete.Objects {
		if each.VersionId != nil || each.ETag != nil || each.Size != nil || each.LastModifiedTime != nil {
			return nil, api.NotModelled("versions and conditions of s3:DeleteObjects")
		}
	}
	out := &s3.DeleteObjectsOutput{}
	for _, each := range in.Delete.Objects {
		delete(found.objects, deref(each.Key))
		if !deref(in.Delete.Quiet) {
			out.Deleted = append(out.Deleted, types.DeletedObject{Key: each.Key})
		}
	}
	return out, nil
}

var badXML = badRequest(
	"MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema",
)
