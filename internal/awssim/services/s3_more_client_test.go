package services_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

func TestEveryCallAsksForTheExpectedOwner(t *testing.T) {
	_, client := withBucket(t)
	bucket, key, stranger := aws.String("evidence"), aws.String("a"), aws.String("111122223333")
	upload, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	failed := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"HeadBucket": failed(client.HeadBucket(
			ctx, &s3.HeadBucketInput{Bucket: bucket, ExpectedBucketOwner: stranger},
		)),
		"GetObject": failed(client.GetObject(
			ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, ExpectedBucketOwner: stranger},
		)),
		"HeadObject": failed(client.HeadObject(
			ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key, ExpectedBucketOwner: stranger},
		)),
		"ListObjects": failed(client.ListObjectsV2(
			ctx, &s3.ListObjectsV2Input{Bucket: bucket, ExpectedBucketOwner: stranger},
		)),
		"PutObject": failed(client.PutObject(
			ctx, putting("b", "x", func(in *s3.PutObjectInput) { in.ExpectedBucketOwner = stranger }),
		)),
		"DeleteObject": failed(client.DeleteObject(
			ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key, ExpectedBucketOwner: stranger},
		)),
		"UploadPart": failed(client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
			ExpectedBucketOwner: stranger,
		})),
		"CopyObject, source": failed(client.CopyObject(ctx, &s3.CopyObjectInput{
			Bucket: bucket, Key: aws.String("b"), CopySource: aws.String("evidence/a"), ExpectedSourceBucketOwner: stranger,
		})),
		"DeleteBucket": failed(client.DeleteBucket(
			ctx, &s3.DeleteBucketInput{Bucket: bucket, ExpectedBucketOwner: stranger},
		)),
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, http.StatusForbidden, status(t, err)) })
	}
	_, err = client.GetObject(
		ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, ExpectedBucketOwner: aws.String("222233334444")},
	)
	require.NoError(t, err)
}

func TestCopies(t *testing.T) {
	a, client := withBucket(t)
	_, err := client.CreateBucket(ctx, made("ap-northeast-1", "second"))
	require.NoError(t, err)
	_, err = client.PutObject(ctx, putting("odd é+%/key", "odd", nil))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		in   s3.CopyObjectInput
		code string
		want string
	}{
		"between buckets":     {s3.CopyObjectInput{CopySource: aws.String("evidence/a")}, "", "content"},
		"with a slash before": {s3.CopyObjectInput{CopySource: aws.String("/evidence/a")}, "", "content"},
		"of an odd key":       {s3.CopyObjectInput{CopySource: aws.String("evidence/odd%20%C3%A9%2B%25/key")}, "", "odd"},
		"of nothing":          {s3.CopyObjectInput{CopySource: aws.String("evidence/none")}, "NoSuchKey", ""},
		"of no bucket":        {s3.CopyObjectInput{CopySource: aws.String("nowhere/a")}, "NoSuchBucket", ""},
		"of no key":           {s3.CopyObjectInput{CopySource: aws.String("evidence")}, "InvalidArgument", ""},
		"of a version":        {s3.CopyObjectInput{CopySource: aws.String("evidence/a?versionId=1")}, "NotModelled", ""},
		"of another object than expected": {s3.CopyObjectInput{
			CopySource: aws.String("evidence/a"), CopySourceIfMatch: aws.String("other"),
		}, "PreconditionFailed", ""},
		"onto itself": {s3.CopyObjectInput{
			CopySource: aws.String("evidence/a"), Bucket: aws.String("evidence"), Key: aws.String("a"),
		}, "InvalidRequest", ""},
		"onto itself with another class": {s3.CopyObjectInput{
			CopySource: aws.String("evidence/a"), Bucket: aws.String("evidence"), Key: aws.String("a"),
			StorageClass: types.StorageClassStandardIa,
		}, "", "content"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.in.Bucket == nil {
				c.in.Bucket, c.in.Key = aws.String("second"), aws.String("copy")
			}
			_, err := client.CopyObject(ctx, &c.in)
			refusedOr(t, c.code, err)
			if c.code != "" {
				return
			}
			out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: c.in.Bucket, Key: c.in.Key})
			require.NoError(t, err)
			body, err := io.ReadAll(out.Body)
			require.NoError(t, err)
			require.Equal(t, c.want, string(body))
		})
	}
	_, err = s3.NewFromConfig(a.as("111122223333")).CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: aws.String("second"), Key: aws.String("x"), CopySource: aws.String("evidence/a"),
	})
	require.Equal(t, "AccessDenied", code(t, err))
}

func TestUploadsInPartsKeepTheLimits(t *testing.T) {
	_, client := withBucket(t)
	bucket, key := aws.String("evidence"), aws.String("big")
	begun, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: bucket, Key: key, StorageClass: types.StorageClassStandardIa, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	require.NoError(t, err)
	part := func(number int32, size int) (types.CompletedPart, error) {
		out, err := client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: begun.UploadId, PartNumber: &number,
			Body: bytes.NewReader(make([]byte, size)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err != nil {
			return types.CompletedPart{}, err
		}
		return types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32}, nil
	}
	for _, number := range []int32{0, 10001} {
		_, err := part(number, 1)
		require.Equal(t, "InvalidArgument", code(t, err))
	}
	small, err := part(1, 10)
	require.NoError(t, err)
	large, err := part(2, 5<<20)
	require.NoError(t, err)
	last, err := part(3, 10)
	require.NoError(t, err)
	listed, err := client.ListParts(ctx, &s3.ListPartsInput{
		Bucket: bucket, Key: key, UploadId: begun.UploadId, MaxParts: aws.Int32(2),
	})
	require.NoError(t, err)
	require.Len(t, listed.Parts, 2)
	require.True(t, *listed.IsTruncated)
	require.Equal(t, "2", *listed.NextPartNumberMarker)
	bare := large
	bare.ChecksumCRC32 = nil
	for _, c := range []struct {
		name  string
		parts []types.CompletedPart
		code  string
	}{
		{"none", nil, "MalformedXML"},
		{"in disorder", []types.CompletedPart{last, large}, "InvalidPartOrder"},
		{"a small one first", []types.CompletedPart{small, large}, "EntityTooSmall"},
		{"without its checksum", []types.CompletedPart{bare}, "InvalidRequest"},
		{"as they should be", []types.CompletedPart{large, last}, ""},
		{"a second time", []types.CompletedPart{large, last}, "NoSuchUpload"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
				Bucket: bucket, Key: key, UploadId: begun.UploadId,
				MultipartUpload: &types.CompletedMultipartUpload{Parts: c.parts},
			})
			refusedOr(t, c.code, err)
			if c.code == "" {
				require.True(t, strings.HasSuffix(*out.ChecksumCRC32, "-2"), *out.ChecksumCRC32)
			}
		})
	}
}
