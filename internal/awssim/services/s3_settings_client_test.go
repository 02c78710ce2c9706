package services_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// Sources: S3 guide, "Bucket policies" and "Blocking public access to your Amazon S3 storage"; IAM guide, "Cross-account
// policy evaluation logic".
func TestAPolicyOpensABucket(t *testing.T) {
	other := `{"AWS": "arn:aws:iam::111122223333:root"}`
	for _, c := range []struct {
		name, effect, principal, action, resource, condition string
		put                                                  string // how the policy is refused
		ownGet, otherGet, otherPut, otherList                string
	}{
		{
			"objects are read", "Allow", other, "s3:GetObject", "arn:aws:s3:::evidence/*", "", "", "", "", "AccessDenied",
			"AccessDenied",
		},
		{
			"other objects are read", "Allow", other, "s3:GetObject", "arn:aws:s3:::evidence/b*", "", "", "", "AccessDenied",
			"AccessDenied", "AccessDenied",
		},
		{"all of the objects", "Allow", other, "s3:*", "arn:aws:s3:::evidence/*", "", "", "", "", "", "AccessDenied"},
		{
			"the list", "Allow", other, "s3:ListBucket", "arn:aws:s3:::evidence", "", "", "", "AccessDenied", "AccessDenied", "",
		},
		{
			"nobody reads", "Deny", `"*"`, "s3:GetObject", "arn:aws:s3:::evidence/*", "", "", "AccessDenied", "AccessDenied",
			"AccessDenied", "AccessDenied",
		},
		{
			"nobody reads without TLS", "Deny", `"*"`, "s3:*", "arn:aws:s3:::evidence/*",
			`{"Bool": {"aws:SecureTransport": "false"}}`, "", "", "AccessDenied", "AccessDenied", "AccessDenied",
		},
		{
			"everybody reads", "Allow", `"*"`, "s3:GetObject", "arn:aws:s3:::evidence/*", "", "AccessDenied", "", "AccessDenied",
			"AccessDenied", "AccessDenied",
		},
		{
			"of another bucket", "Allow", other, "s3:GetObject", "arn:aws:s3:::other/*", "", "MalformedPolicy", "",
			"AccessDenied", "AccessDenied", "AccessDenied",
		},
		{
			"no principal of this world", "Allow", `{"CanonicalUser": "79a5"}`, "s3:GetObject", "arn:aws:s3:::evidence/*", "",
			"NotModelled", "", "AccessDenied", "AccessDenied", "AccessDenied",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, own := withBucket(t)
			theirs, bucket := s3.NewFromConfig(a.as(otherAccount)), aws.String("evidence")
			_, err := own.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{
				Bucket: bucket, Policy: aws.String(policyOf(c.effect, c.principal, c.action, c.resource, c.condition)),
			})
			refusedOr(t, c.put, err)
			_, err = own.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("a")})
			refusedOr(t, c.ownGet, err)
			_, err = theirs.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("a")})
			refusedOr(t, c.otherGet, err)
			_, err = theirs.PutObject(ctx, putting("theirs", "x", nil))
			refusedOr(t, c.otherPut, err)
			_, err = theirs.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
			refusedOr(t, c.otherList, err)
			_, err = theirs.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket})
			require.Equal(t, "AccessDenied", code(t, err), "no policy opens that")
		})
	}
}

func TestSettingsOfABucket(t *testing.T) {
	a, client := withBucket(t)
	bucket := aws.String("evidence")
	_, err := client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket})
	require.Equal(t, "NoSuchBucketPolicy", code(t, err))
	require.Equal(t, http.StatusNotFound, status(t, err))
	_, err = client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String("x")})
	require.Equal(t, "MalformedPolicy", code(t, err))
	public := policyOf("Allow", `"*"`, "s3:GetObject", "arn:aws:s3:::evidence/*", "")
	blocked, err := client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})
	require.NoError(t, err)
	require.True(t, *blocked.PublicAccessBlockConfiguration.BlockPublicPolicy, "as every bucket since April 2023")
	require.True(t, *blocked.PublicAccessBlockConfiguration.RestrictPublicBuckets)
	_, err = client.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true),
		},
	})
	require.NoError(t, err)
	_, err = client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: &public})
	require.NoError(t, err)
	told, err := client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket})
	require.NoError(t, err)
	require.Equal(t, public, *told.Policy)
	standing, err := client.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: bucket})
	require.NoError(t, err)
	require.True(t, *standing.PolicyStatus.IsPublic)
	_, err = s3.NewFromConfig(a.as(otherAccount)).GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("a")})
	require.NoError(t, err)
	_, err = client.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: bucket})
	require.NoError(t, err)
	_, err = client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})
	require.Equal(t, "NoSuchPublicAccessBlockConfiguration", code(t, err))
	_, err = client.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket})
	require.NoError(t, err)
	versions, err := client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket})
	require.NoError(t, err)
	require.Empty(t, versions.Status)
	_, err = client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	require.Equal(t, "NotModelled", code(t, err))
	_, err = client.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: bucket})
	require.Equal(t, "NotModelled", code(t, err), "it is no list of objects")
	_, err = client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: aws.String("a")})
	require.Equal(t, "NotModelled", code(t, err))
	owner, err := client.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket})
	require.NoError(t, err)
	require.Equal(t, types.ObjectOwnershipBucketOwnerEnforced, owner.OwnershipControls.Rules[0].ObjectOwnership)
}

// Source: S3 guide, "Setting default server-side encryption behavior for Amazon S3 buckets".
func TestABucketEncryptsByDefault(t *testing.T) {
	_, client := withBucket(t)
	bucket := aws.String("evidence")
	kind := func(wanted types.ServerSideEncryption) {
		told, err := client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: bucket})
		require.NoError(t, err)
		usual := told.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault
		require.Equal(t, wanted, usual.SSEAlgorithm)
		put, err := client.PutObject(ctx, putting("b", "x", nil))
		require.NoError(t, err)
		require.Equal(t, wanted, put.ServerSideEncryption)
		asked, err := client.PutObject(ctx, putting("b", "x", func(in *s3.PutObjectInput) {
			in.ServerSideEncryption = types.ServerSideEncryptionAes256
		}))
		require.NoError(t, err)
		require.Equal(t, types.ServerSideEncryptionAes256, asked.ServerSideEncryption, "what a put asks for comes first")
	}
	set := func(usual types.ServerSideEncryptionByDefault) error {
		_, err := client.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
			Bucket: bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
				Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &usual}},
			},
		})
		return err
	}
	kind(types.ServerSideEncryptionAes256)
	require.NoError(t, set(types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms}))
	kind(types.ServerSideEncryptionAwsKms)
	require.Equal(t, "InvalidArgument", code(t, set(types.ServerSideEncryptionByDefault{
		SSEAlgorithm: types.ServerSideEncryptionAes256, KMSMasterKeyID: aws.String("x"),
	})))
	_, err := client.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: bucket})
	require.NoError(t, err)
	kind(types.ServerSideEncryptionAes256)
}

// Source: API reference of ListObjects.
func TestTheListOfOlderTools(t *testing.T) {
	_, client := withBucket(t)
	for n := range 5 {
		_, err := client.PutObject(ctx, putting(fmt.Sprintf("d%d/x", n), "x", nil))
		require.NoError(t, err)
	}
	for name, c := range map[string]struct {
		delimiter string
		size      int32
		want      int
	}{
		"all": {"", 1000, 6}, "page by page": {"", 2, 6}, "prefixes page by page": {"/", 2, 6}, "prefixes at once": {"/", 10, 6},
	} {
		t.Run(name, func(t *testing.T) {
			in := &s3.ListObjectsInput{Bucket: aws.String("evidence"), MaxKeys: &c.size}
			if c.delimiter != "" {
				in.Delimiter = &c.delimiter
			}
			found := 0
			for range 9 {
				page, err := client.ListObjects(ctx, in)
				require.NoError(t, err)
				found += len(page.Contents) + len(page.CommonPrefixes)
				if !*page.IsTruncated {
					break
				}
				if in.Marker = page.NextMarker; in.Marker == nil {
					in.Marker = page.Contents[len(page.Contents)-1].Key
				}
			}
			require.Equal(t, c.want, found)
		})
	}
}
