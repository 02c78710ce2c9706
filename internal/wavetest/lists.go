package wavetest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// ListsBucket is the bucket of the lists that bind machines.
const ListsBucket = "patchtide-manifests"

// MakeLists makes the bucket of the lists that bind machines, in the worker's own account; machines of the fleet's
// accounts may read it.
func (s *Scene) MakeLists() {
	client := s3.NewFromConfig(s.clients, func(o *s3.Options) { o.UsePathStyle = true })
	_, err := client.CreateBucket(s.T.Context(), &s3.CreateBucketInput{
		Bucket: aws.String(ListsBucket), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{
			LocationConstraint: s3types.BucketLocationConstraint(s.clients.Region),
		},
	})
	require.NoError(s.T, err)
	_, err = client.PutBucketPolicy(s.T.Context(), &s3.PutBucketPolicyInput{
		Bucket: aws.String(ListsBucket), Policy: aws.String(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Principal": {"AWS": ["` + s.AccountID("staging") + `", "` + s.AccountID("production") + `"]},
  "Action": "s3:GetObject", "Resource": "arn:aws:s3:::` + ListsBucket + `/*"}]}`),
	})
	require.NoError(s.T, err)
}
