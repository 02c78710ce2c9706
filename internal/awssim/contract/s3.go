package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func objects() Scenario {
	return Scenario{Name: "objects", Steps: func(c *Clients) []Step {
		bucket, key := aws.String(c.Prefix+"bucket"), aws.String("waves/1/a b+c.json")
		var first string
		put := func(ctx context.Context, key *string, text string, change func(*s3.PutObjectInput)) (string, error) {
			in := &s3.PutObjectInput{
				Bucket: bucket, Key: key, Body: strings.NewReader(text), ContentType: aws.String("application/json"),
				Metadata: map[string]string{"wave": "w1"},
			}
			if change != nil {
				change(in)
			}
			out, err := c.S3.PutObject(ctx, in)
			if err != nil {
				return "", err
			}
			c.Later(func(ctx context.Context) error {
				_, err := c.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
				return err
			})
			return aws.ToString(out.ETag), nil
		}
		return []Step{
			{"a bucket is made", func(ctx context.Context) error {
				_, err := c.S3.CreateBucket(
					ctx,
					&s3.CreateBucketInput{
						Bucket: bucket,
						CreateBucketConfiguration: &types.CreateBucketConfiguration{
							LocationConstraint: types.BucketLocationConstraint(c.Config.Region),
						},
					},
				)
				if err != nil {
					return err
				}
				c.Later(func(ctx context.Context) error {
					_, err := c.S3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket})
					return err
				})
				_, err = c.S3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: bucket})
				return err
			}},
			{"an object is made only once with If-None-Match", func(ctx context.Context) (err error) {
				once := func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }
				if first, err = put(ctx, key, `{"n":1}`, once); err != nil {
					return err
				}
				_, err = put(ctx, key, `{"n":2}`, once)
				return refused(err, "PreconditionFailed")
			}},
			{"an object is replaced only as it was read with If-Match", func(ctx context.Context) error {
				match := func(in *s3.PutObjectInput) { in.IfMatch = &first }
				if _, err := put(ctx, key, `{"n":3}`, match); err != nil {
					return err
				}
				_, err := put(ctx, key, `{"n":4}`, match)
				return refused(err, "PreconditionFailed")
			}},
			{"it is read back, metadata and all", func(ctx context.Context) error {
				out, err := c.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
				if err != nil {
					return err
				}
				defer out.Body.Close()
				body, err := io.ReadAll(out.Body)
				return errors.Join(
					err, same("body", `{"n":3}`, string(body)), same("metadata", "w1", out.Metadata["wave"]),
					same("content type", "application/json", aws.ToString(out.ContentType)),
					same("length", 7, aws.ToInt64(out.ContentLength)),
				)
			}},
			{"a part of it is read", func(ctx context.Context) error {
				out, err := c.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=1-3")})
				if err != nil {
					return err
				}
				defer out.Body.Close()
				body, err := io.ReadAll(out.Body)
				return errors.Join(
					err, same("body", `"n"`, string(body)), same("range", "bytes 1-3/7", aws.ToString(out.ContentRange)),
				)
			}},
			{"what is not there", func(ctx context.Context) error {
				_, get := c.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("none")})
				_, head := c.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("none")})
				_, list := c.S3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(c.Prefix + "no-such-bucket")})
				return errors.Join(refused(get, "NoSuchKey"), refused(head, "NotFound"), refused(list, "NoSuchBucket"))
			}},
			{"lists are sorted, paged and folded", func(ctx context.Context) error {
				for _, name := range []string{"waves/2/b.json", "waves/10/c.json", "top.json"} {
					if _, err := put(ctx, &name, "x", nil); err != nil {
						return err
					}
				}
				var keys []string
				for pages := s3.NewListObjectsV2Paginator(
					c.S3, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(1)},
				); pages.HasMorePages(); {
					page, err := pages.NextPage(ctx)
					if err != nil {
						return err
					}
					for _, object := range page.Contents {
						keys = append(keys, *object.Key)
					}
				}
				folded, err := c.S3.ListObjectsV2(
					ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("waves/"), Delimiter: aws.String("/")},
				)
				if err != nil {
					return err
				}
				var folders []string
				for _, prefix := range folded.CommonPrefixes {
					folders = append(folders, *prefix.Prefix)
				}
				return errors.Join(
					same("keys", "top.json waves/1/a b+c.json waves/10/c.json waves/2/b.json", strings.Join(keys, " ")),
					same("folders", "waves/1/ waves/10/ waves/2/", strings.Join(folders, " ")),
					same("objects beside them", 0, len(folded.Contents)),
				)
			}},
			{"deleting twice is no error", func(ctx context.Context) error {
				for range 2 {
					out, err := c.S3.DeleteObjects(
						ctx,
						&s3.DeleteObjectsInput{
							Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("top.json")}}},
						},
					)
					if err != nil {
						return err
					}
					if len(out.Errors) > 0 || len(out.Deleted) != 1 {
						return fmt.Errorf("%d deleted, %d errors", len(out.Deleted), len(out.Errors))
					}
				}
				return nil
			}},
			{"a bucket that holds objects cannot be deleted", func(ctx context.Context) error {
				_, err := c.S3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket})
				return refused(err, "BucketNotEmpty")
			}},
		}
	}}
}
