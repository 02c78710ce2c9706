package services

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// objectStore keeps buckets. Their names are global; each belongs to one account, and others may do with it what its
// policy allows.
type objectStore struct {
	w       *world.World
	buckets map[string]*bucket
	uploads map[string]*upload
}

type bucket struct {
	name, region, account string
	created               time.Time
	objects               map[string]*object

	policy   *world.ResourcePolicy
	exposure types.PublicAccessBlockConfiguration // what of it may be public
	rule     types.ServerSideEncryptionRule       // how objects are encrypted of which nothing is said
}

// newBucket is a bucket as S3 makes it: nothing of it may be public (S3 guide, "Blocking public access": the default
// for new buckets), and S3's own keys encrypt its objects.
func newBucket(name, region, account string, created time.Time) *bucket {
	return &bucket{
		name: name, region: region, account: account, created: created, objects: map[string]*object{},
		exposure: types.PublicAccessBlockConfiguration{
			BlockPublicAcls: ref(true), IgnorePublicAcls: ref(true), BlockPublicPolicy: ref(true),
			RestrictPublicBuckets: ref(true),
		},
		rule: usualEncryption(),
	}
}

// What several of S3's operations take: whose bucket it should be, what an object is to be like, the key of an object
// that S3 does not keep the key of, the conditions of a read, locks and grants that a plain bucket refuses.
var (
	s3Owner  = []string{"Bucket", "ExpectedBucketOwner"}
	s3Object = []string{
		"Key", "ContentType", "ContentEncoding", "ContentDisposition", "ContentLanguage", "CacheControl", "Expires",
		"Metadata", "StorageClass", "ServerSideEncryption", "SSEKMSKeyId", "ChecksumAlgorithm",
		"ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP",
		"ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus",
	}
	s3Secret    = []string{"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"}
	s3Checksums = []string{"ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256"}
	s3Read      = []string{"Key", "IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince", "ChecksumMode"}
	s3Source    = []string{
		"CopySource", "CopySourceIfMatch", "CopySourceIfNoneMatch", "CopySourceIfModifiedSince",
		"CopySourceIfUnmodifiedSince", "ExpectedSourceBucketOwner", "CopySourceSSECustomerAlgorithm",
		"CopySourceSSECustomerKey", "CopySourceSSECustomerKeyMD5",
	}
)

// fields joins lists of fields.
func fields(lists ...[]string) (all []string) {
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func registerS3(r *api.Registry, w *world.World) {
	s := &objectStore{w: w, buckets: map[string]*bucket{}, uploads: map[string]*upload{}}
	for _, account := range w.Accounts() {
		for _, region := range account.Spec.Regions {
			for _, name := range region.Buckets {
				s.buckets[name] = newBucket(name, region.Name, account.ID, w.Start())
			}
		}
	}
	if lists := w.Scenario.Home.Lists; lists != "" {
		s.buckets[lists] = readable(w, lists)
	}
	w.ReadObject, w.WriteObject = s.read, s.write
	w.Grants = append(w.Grants, s.grants)
	registerS3Settings(r, s)
	registerS3Buckets(r, s)
	registerS3Multipart(r, s)
	api.Handle(r, "s3", "PutObject", fields(
		s3Owner, s3Object, s3Secret, s3Checksums, []string{"Body", "ContentLength", "ContentMD5", "IfMatch", "IfNoneMatch"},
	), s.put)
	api.Handle(r, "s3", "GetObject", fields(s3Owner, s3Read, s3Secret, []string{"Range"}), s.get)
	api.Handle(r, "s3", "HeadObject", fields(s3Owner, s3Read, s3Secret), s.head)
	api.Handle(r, "s3", "CopyObject", fields(
		s3Owner, s3Object, s3Secret, s3Source, []string{"MetadataDirective", "TaggingDirective", "IfMatch", "IfNoneMatch"},
	), s.copy)
	api.Handle(
		r, "s3", "DeleteObject", fields(s3Owner, []string{"Key", "IfMatch", "BypassGovernanceRetention"}), s.delete,
	)
	api.Handle(
		r, "s3", "DeleteObjects", fields(s3Owner, []string{"Delete", "ChecksumAlgorithm", "BypassGovernanceRetention"}),
		s.deleteMany,
	)
	api.Handle(r, "s3", "ListObjects", fields(s3Owner, []string{
		"Prefix", "Delimiter", "MaxKeys", "Marker", "EncodingType",
	}), s.listOld)
	api.Handle(r, "s3", "ListObjectsV2", fields(s3Owner, []string{
		"Prefix", "Delimiter", "MaxKeys", "ContinuationToken", "StartAfter", "FetchOwner", "EncodingType",
	}), s.list)
}

// readable is the home account's bucket that machines of all others may read.
func readable(w *world.World, name string) *bucket {
	made := newBucket(name, w.Scenario.Accounts[0].Regions[0].Name, w.Scenario.Home.ID, w.Start())
	var others []string
	for _, account := range w.Scenario.Accounts {
		others = append(others, `"`+account.ID+`"`)
	}
	policy, _, err := world.ParseResourcePolicy(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Principal": {"AWS": [` + strings.Join(others, ", ") + `]}, "Action": "s3:GetObject",
		"Resource": "` + bucketARN + name + `/*"}]}`)
	if err != nil {
		panic("the simulator's own policy: " + err.Error())
	}
	made.policy = policy
	return made
}

// read is how a machine reads an object: one of its own account, or one that the bucket's policy lets it.
func (s *objectStore) read(region *world.Region, bucketName, key string) ([]byte, error) {
	found := s.buckets[bucketName]
	if found == nil {
		return nil, noSuchBucket
	}
	call := api.Call{
		Account: region.Account.ID, Region: region.Name, Service: "s3", Operation: "GetObject", Time: s.w.Now(),
		Caller: machineRole(region),
	}
	if err := found.usable(call, "s3:GetObject", nil, &key); err != nil {
		return nil, err
	}
	stored, err := found.object(key)
	if err != nil {
		return nil, err
	}
	return stored.body, nil
}

// machineRole is who a machine is to S3: the role of its instance profile.
func machineRole(region *world.Region) string {
	return "arn:aws:sts::" + region.Account.ID + ":assumed-role/machine/machine"
}

// write is how a machine writes an object: into a bucket of its own account, or into one whose policy lets it.
func (s *objectStore) write(region *world.Region, bucketName, key, text string) {
	found := s.buckets[bucketName]
	if found == nil {
		return
	}
	call := api.Call{
		Account: region.Account.ID, Region: region.Name, Service: "s3", Operation: "PutObject", Time: s.w.Now(),
		Caller: machineRole(region),
	}
	if found.usable(call, "s3:PutObject", nil, &key) != nil {
		return
	}
	a, err := s.attributesOf(call, found, &key, &s3.PutObjectInput{})
	if err != nil {
		return
	}
	stored := newObject(call, []byte(text), a)
	found.objects[key] = stored
}

func s3Error(status int, code, message string) *api.Error {
	return &api.Error{Code: code, Message: message, Status: status}
}

// badRequest is s3Error for the most frequent status.
func badRequest(code, message string) *api.Error {
	return s3Error(http.StatusBadRequest, code, message)
}

var (
	noSuchBucket = s3Error(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	noSuchKey    = s3Error(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	accessDenied = s3Error(http.StatusForbidden, "AccessDenied", "Access Denied")
)

// bucket finds a bucket that the caller may use at this endpoint. Another region's endpoint points at the right one (S3
// guide, "Making requests": 301 PermanentRedirect, which names the endpoint and no Location). A bucket of another
// account than the caller expects, or than the caller's own, is refused.
//
// The key is that of the object that the call is about, if it is about one.
func (s *objectStore) bucket(call api.Call, name, expectedOwner *string, key ...*string) (*bucket, error) {
	found := s.buckets[deref(name)]
	switch {
	case found == nil:
		return nil, noSuchBucket
	case found.region != call.Region:
		return nil, &api.Error{
			Status: http.StatusMovedPermanently, Code: "PermanentRedirect",
			Message: "The bucket you are attempting to access must be addressed using the specified endpoint. Please send " +
				"all future requests to this endpoint.",
			Details: map[string]string{
				"Bucket": found.name, "Endpoint": found.name + ".s3." + found.region + ".amazonaws.com",
			},
			Headers: map[string]string{"X-Amz-Bucket-Region": found.region},
		}
	}
	return found, found.usable(call, ActionOf("s3", call.Operation), expectedOwner, key...)
}

// usable refuses callers whom the bucket's policy does not let in, and callers who expect another owner: 403 (API
// reference, ExpectedBucketOwner).
func (b *bucket) usable(call api.Call, action string, expectedOwner *string, key ...*string) error {
	arn := bucketARN + b.name
	if len(key) > 0 {
		arn += "/" + deref(key[0])
	}
	verdict := b.policy.Lets(b.account, askerOf(call), asked(call, action, arn))
	if b.account != call.Account && (slices.Contains(bucketOwnersOnly, call.Operation) || b.closed()) {
		verdict = world.NotAllowed
	}
	switch expected := deref(expectedOwner); {
	case expectedOwner != nil && !accountID.MatchString(expected):
		return badRequest("InvalidBucketOwnerAWSAccountID", "The value of the expected bucket owner parameter must be an "+
			"AWS Account ID... [12 digits]")
	case expectedOwner != nil && expected != b.account, verdict != world.Allowed:
		return accessDenied
	}
	return nil
}

// canonicalID is how S3 names an account as an owner: 64 hexadecimal digits.
func canonicalID(account string) string {
	sum := sha256.Sum256([]byte(account))
	return hex.EncodeToString(sum[:])
}

// carry copies the fields that two structures share by name and type and that are set: S3's inputs and outputs repeat
// an object's attributes.
func carry(into, from any) {
	to, source := reflect.ValueOf(into).Elem(), reflect.ValueOf(from).Elem()
	for i := range to.NumField() {
		field := to.Type().Field(i)
		value := source.FieldByName(field.Name)
		if field.IsExported() && value.IsValid() && value.Type() == field.Type && !value.IsZero() {
			to.Field(i).Set(value)
		}
	}
}
