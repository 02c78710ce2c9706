package services_test

import (
	"crypto/md5"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
)

// as is a client's configuration for another account of the same simulator.
func (a *account) as(id string) aws.Config {
	a.t.Helper()
	other := a.config.Copy()
	other.Credentials = a.assumed("arn:aws:iam::"+id+":role/patchtide", 0)
	return other
}

func made(region, name string) *s3.CreateBucketInput {
	in := &s3.CreateBucketInput{Bucket: &name}
	if region != "" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(region),
		}
	}
	return in
}

// withBucket is a client of staging's with the bucket "evidence" and the object "a" in it.
func withBucket(t *testing.T) (*account, *s3.Client) {
	t.Helper()
	a := staging(t, "healthy")
	client := s3.NewFromConfig(a.config)
	_, err := client.CreateBucket(ctx, made("ap-northeast-1", "evidence"))
	require.NoError(t, err)
	_, err = client.PutObject(ctx, putting("a", "content", nil))
	require.NoError(t, err)
	return a, client
}

func putting(key, text string, change func(*s3.PutObjectInput)) *s3.PutObjectInput {
	in := &s3.PutObjectInput{Bucket: aws.String("evidence"), Key: &key, Body: strings.NewReader(text)}
	if change != nil {
		change(in)
	}
	return in
}

func status(t *testing.T, err error) int {
	t.Helper()
	var response *smithyhttp.ResponseError
	require.ErrorAs(t, err, &response)
	return response.HTTPStatusCode()
}

// refusedOr requires success for the code "".
func refusedOr(t *testing.T, want string, err error) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.Equal(t, want, code(t, err), "%v", err)
}

// Source: S3 guide, "General purpose bucket naming rules"; API reference of CreateBucket.
func TestBucketsAreMadeByTheRules(t *testing.T) {
	a, _ := withBucket(t)
	for name, c := range map[string]struct {
		region string
		in     *s3.CreateBucketInput
		code   string
	}{
		"upper case and an underscore":         {"", made("ap-northeast-1", "Ab_c"), "InvalidBucketName"},
		"too short":                            {"", made("ap-northeast-1", "ab"), "InvalidBucketName"},
		"an address":                           {"", made("ap-northeast-1", "192.168.5.4"), "InvalidBucketName"},
		"a reserved prefix":                    {"", made("ap-northeast-1", "xn--abc"), "InvalidBucketName"},
		"a reserved suffix":                    {"", made("ap-northeast-1", "abc-s3alias"), "InvalidBucketName"},
		"two points":                           {"", made("ap-northeast-1", "a..b"), "InvalidBucketName"},
		"points and hyphens":                   {"", made("ap-northeast-1", "a.b-c"), ""},
		"no constraint":                        {"", made("", "abc"), "IllegalLocationConstraintException"},
		"another region's constraint":          {"", made("eu-west-1", "abc"), "IllegalLocationConstraintException"},
		"a constraint of no region":            {"", made("mars-1", "abc"), "InvalidLocationConstraint"},
		"the first region by no constraint":    {"us-east-1", made("", "in-virginia"), ""},
		"the first region by a constraint":     {"us-east-1", made("us-east-1", "abc"), "InvalidLocationConstraint"},
		"an old name of a region":              {"eu-west-1", made("EU", "in-ireland"), ""},
		"one's own name":                       {"", made("ap-northeast-1", "evidence"), "BucketAlreadyOwnedByYou"},
		"one's own name in another region":     {"eu-west-1", made("eu-west-1", "evidence"), "BucketAlreadyOwnedByYou"},
		"with a lock, which is not modelled":   {"", locked(), "NotModelled"},
		"with a list of who may do what":       {"", public(), "InvalidBucketAclWithObjectOwnership"},
		"with a kind of ownership, not either": {"", owned(), "NotModelled"},
	} {
		t.Run(name, func(t *testing.T) {
			config := a.config.Copy()
			if c.region != "" {
				config.Region = c.region
			}
			_, err := s3.NewFromConfig(config).CreateBucket(ctx, c.in)
			refusedOr(t, c.code, err)
		})
	}
}

func locked() *s3.CreateBucketInput {
	in := made("ap-northeast-1", "locked")
	in.ObjectLockEnabledForBucket = aws.Bool(true)
	return in
}

func public() *s3.CreateBucketInput {
	in := made("ap-northeast-1", "public")
	in.ACL = types.BucketCannedACLPublicRead
	return in
}

func owned() *s3.CreateBucketInput {
	in := made("ap-northeast-1", "owned")
	in.ObjectOwnership = types.ObjectOwnershipObjectWriter
	return in
}

func TestABucketBelongsToOneAccountAndOneRegion(t *testing.T) {
	a, own := withBucket(t)
	other := s3.NewFromConfig(a.as("111122223333"))
	_, err := other.CreateBucket(ctx, made("ap-northeast-1", "evidence"))
	require.Equal(t, "BucketAlreadyExists", code(t, err))
	_, err = other.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("evidence"), Key: aws.String("a")})
	require.Equal(t, "AccessDenied", code(t, err))
	_, err = other.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("evidence")})
	require.Equal(t, http.StatusForbidden, status(t, err))
	_, err = other.CreateBucket(ctx, made("ap-northeast-1", "theirs"))
	require.NoError(t, err)
	listed, err := other.ListBuckets(ctx, &s3.ListBucketsInput{})
	require.NoError(t, err)
	require.Len(t, listed.Buckets, 1)
	require.Equal(t, "theirs", *listed.Buckets[0].Name)
	_, err = own.CreateBucket(ctx, made("ap-northeast-1", "evidence-2"))
	require.NoError(t, err)
	paged, err := own.ListBuckets(ctx, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)})
	require.NoError(t, err)
	require.Len(t, paged.Buckets, 1)
	require.Equal(t, "ap-northeast-1", *paged.Buckets[0].BucketRegion)
	require.NotNil(t, paged.ContinuationToken)

	elsewhere := a.config.Copy()
	elsewhere.Region = "eu-west-1"
	distant := s3.NewFromConfig(elsewhere)
	_, err = distant.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("evidence"), Key: aws.String("a")})
	require.Equal(t, "PermanentRedirect", code(t, err))
	require.Equal(t, http.StatusMovedPermanently, status(t, err))
	_, err = distant.PutObject(ctx, putting("b", "x", nil))
	require.Equal(t, "PermanentRedirect", code(t, err))
	_, err = distant.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("evidence")})
	var response *smithyhttp.ResponseError
	require.ErrorAs(t, err, &response)
	require.Equal(t, http.StatusMovedPermanently, response.HTTPStatusCode())
	require.Equal(t, "ap-northeast-1", response.Response.Header.Get("X-Amz-Bucket-Region"))
	where, err := distant.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String("evidence")})
	require.NoError(t, err)
	require.Equal(t, "ap-northeast-1", string(where.LocationConstraint))
}

// Whatever S3 acts upon is obeyed, refused as S3 refuses it, or refused as not modelled.
func TestAPutIgnoresNothing(t *testing.T) {
	a, client := withBucket(t)
	until := a.now.Add(time.Hour)
	for name, c := range map[string]struct {
		change func(*s3.PutObjectInput)
		code   string
	}{
		"a lock": {func(in *s3.PutObjectInput) {
			in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockModeCompliance, &until
		}, "InvalidRequest"},
		"half a lock": {func(in *s3.PutObjectInput) {
			in.ObjectLockMode = types.ObjectLockModeCompliance
		}, "InvalidArgument"},
		"a legal hold": {func(in *s3.PutObjectInput) {
			in.ObjectLockLegalHoldStatus = "ON"
		}, "InvalidRequest"},
		"everybody may read": {func(in *s3.PutObjectInput) {
			in.ACL = types.ObjectCannedACLPublicRead
		}, "AccessControlListNotSupported"},
		"the owner controls": {func(in *s3.PutObjectInput) {
			in.ACL = types.ObjectCannedACLBucketOwnerFullControl
		}, ""},
		"a grant": {func(in *s3.PutObjectInput) {
			in.GrantRead = aws.String("id=1")
		}, "AccessControlListNotSupported"},
		"tags": {func(in *s3.PutObjectInput) { in.Tagging = aws.String("a=b") }, "NotModelled"},
		"a redirect": {func(in *s3.PutObjectInput) {
			in.WebsiteRedirectLocation = aws.String("/b")
		}, "NotModelled"},
		"a requester who pays": {func(in *s3.PutObjectInput) { in.RequestPayer = "requester" }, "NotModelled"},
		"no storage class":     {func(in *s3.PutObjectInput) { in.StorageClass = "COLD" }, "InvalidStorageClass"},
		"no encryption": {func(in *s3.PutObjectInput) {
			in.ServerSideEncryption = "rot13"
		}, "InvalidArgument"},
		"a key without KMS": {func(in *s3.PutObjectInput) {
			in.SSEKMSKeyId = aws.String("1")
		}, "InvalidArgument"},
		"an unknown key": {func(in *s3.PutObjectInput) {
			in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, aws.String("alias/none")
		}, "KMS.NotFoundException"},
		"a wrong MD5": {func(in *s3.PutObjectInput) {
			in.ContentMD5 = aws.String(sumOf("other"))
		}, "BadDigest"},
		"no MD5": {func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("x") }, "InvalidDigest"},
		"a wrong SHA-256": {func(in *s3.PutObjectInput) {
			in.ChecksumSHA256 = aws.String(strings.Repeat("A", 43) + "=")
		}, "BadDigest"},
		"no SHA-256": {func(in *s3.PutObjectInput) {
			in.ChecksumSHA256 = aws.String("AAAA")
		}, "InvalidRequest"},
		"the right MD5":     {func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String(sumOf("content")) }, ""},
		"gzip that is none": {func(in *s3.PutObjectInput) { in.ContentEncoding = aws.String("gzip") }, ""},
		"a key too long": {func(in *s3.PutObjectInput) {
			in.Key = aws.String(strings.Repeat("é", 513))
		}, "KeyTooLongError"},
		"too much metadata": {func(in *s3.PutObjectInput) {
			in.Metadata = map[string]string{"a": strings.Repeat("x", 2048)}
		}, "MetadataTooLarge"},
		"only if it is not there": {func(in *s3.PutObjectInput) {
			in.IfNoneMatch = aws.String("*")
		}, "PreconditionFailed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.PutObject(ctx, putting("a", "content", c.change))
			refusedOr(t, c.code, err)
		})
	}
}

func sumOf(text string) string {
	sum := md5.Sum([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestAttributesOfAnObjectAreKept(t *testing.T) {
	_, client := withBucket(t)
	in := putting("a", "content", func(in *s3.PutObjectInput) {
		in.ContentType, in.ContentEncoding = aws.String("text/plain"), aws.String("gzip")
		in.CacheControl = aws.String("no-store")
		in.StorageClass, in.ServerSideEncryption = types.StorageClassStandardIa, types.ServerSideEncryptionAwsKms
		in.ChecksumAlgorithm, in.Metadata = types.ChecksumAlgorithmSha256, map[string]string{"wave": "1"}
	})
	put, err := client.PutObject(ctx, in)
	require.NoError(t, err)
	require.Equal(t, types.ServerSideEncryptionAwsKms, put.ServerSideEncryption)
	require.NotEmpty(t, *put.SSEKMSKeyId)
	require.NotEqual(t, `"9a0364b9e99bb480dd25e1f0284c8555"`, *put.ETag, "it is no MD5 under KMS")
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: in.Bucket, Key: in.Key, ChecksumMode: types.ChecksumModeEnabled,
	})
	require.NoError(t, err)
	require.Equal(t, "text/plain gzip no-store", *head.ContentType+" "+*head.ContentEncoding+" "+*head.CacheControl)
	require.Equal(t, types.StorageClassStandardIa, head.StorageClass)
	require.Equal(t, *put.SSEKMSKeyId, *head.SSEKMSKeyId)
	require.Equal(t, *put.ChecksumSHA256, *head.ChecksumSHA256)
	require.True(t, maps.Equal(map[string]string{"wave": "1"}, head.Metadata))
	listed, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: in.Bucket, FetchOwner: aws.Bool(true)})
	require.NoError(t, err)
	require.Equal(t, types.ObjectStorageClassStandardIa, listed.Contents[0].StorageClass)
	require.Len(t, *listed.Contents[0].Owner.ID, 64)
	plain, err := client.PutObject(ctx, putting("b", "x", nil))
	require.NoError(t, err)
	require.Equal(t, types.ServerSideEncryptionAes256, plain.ServerSideEncryption, "every object is encrypted")
}

func TestACustomersKeyIsNeededToRead(t *testing.T) {
	_, client := withBucket(t)
	key := func(text string) (algorithm, key, sum *string) {
		return aws.String("AES256"), aws.String(base64.StdEncoding.EncodeToString([]byte(text))), aws.String(sumOf(text))
	}
	right, wrong := strings.Repeat("k", 32), strings.Repeat("x", 32)
	_, err := client.PutObject(ctx, putting("secret", "x", func(in *s3.PutObjectInput) {
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = key(right)
	}))
	require.NoError(t, err)
	for name, c := range map[string]struct{ object, key, code string }{
		"without": {"secret", "", "InvalidRequest"}, "another": {"secret", wrong, "AccessDenied"},
		"too short": {"secret", "short", "InvalidArgument"}, "right": {"secret", right, ""},
		"where none is needed": {"a", right, "InvalidRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &s3.GetObjectInput{Bucket: aws.String("evidence"), Key: &c.object}
			if c.key != "" {
				in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = key(c.key)
			}
			_, err := client.GetObject(ctx, in)
			refusedOr(t, c.code, err)
		})
	}
}
