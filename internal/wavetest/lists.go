package wavetest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// ListsBucket is the bucket of the lists that bind machines.
const ListsBucket = "patchtide-manifests"

// Unbound is in the plan of Example: what is tried is tried by itself, and a wave whose production is bound to what
// staging proves says so.
const Unbound = "    pin: none\n"

// Example is the example configuration, whose production nothing binds.
func Example() []byte {
	const baseline = "    baseline: amazon-linux-2023\n"
	return PlanWith(baseline, baseline+Unbound)(config.Example())
}

// Bound has production be bound to what staging proves, which is the default.
var Bound = PlanWith(Unbound, "")

// withoutLists leaves out the fleet's bucket of lists, which MakeLists makes.
func withoutLists(change func(*world.Scenario)) func(*world.Scenario) {
	return func(s *world.Scenario) {
		s.Home.Lists = ""
		if change != nil {
			change(s)
		}
	}
}

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
