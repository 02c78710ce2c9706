package evidence

import (
	"errors"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/awssimtest"
)

// useSimulatedS3 serves the simulated AWS with an empty bucket and points the SDK's default chain at it, by the
// environment alone. It returns the bucket's name.
func useSimulatedS3(t *testing.T) string {
	t.Helper()
	awsConfig, _ := useSimulatedAWS(t)
	client := s3.NewFromConfig(awsConfig, func(o *s3.Options) { o.UsePathStyle = true })
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("evidence"), CreateBucketConfiguration: &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(awsConfig.Region),
		},
	})
	require.NoError(t, err)
	return "evidence"
}

// useSimulatedAWS serves the simulated AWS and points the SDK's default chain at it.
func useSimulatedAWS(t *testing.T) (aws.Config, *awssim.Sim) {
	t.Helper()
	fleet := awssimtest.New(t, awssimtest.Options{})
	fleet.Serve(t)
	require.Empty(t, os.Getenv("AWS_ENDPOINT_URL_S3"), "a test machine must not redirect S3")
	awsConfig, err := config.LoadDefaultConfig(t.Context())
	require.NoError(t, err)
	return awsConfig, fleet.Sim
}

func TestOneBucketHoldsSeveralStores(t *testing.T) {
	bucket := useSimulatedS3(t)
	signer := GenerateKey()
	stores := map[string]*Store{}
	for _, location := range []string{"s3://" + bucket, "s3://" + bucket + "/a", "s3://" + bucket + "/a/b/"} {
		store, err := Open(t.Context(), location, Options{Signer: signer})
		require.NoError(t, err)
		stores[location] = store
		require.NoError(t, store.PutWave(t.Context(), wave, document{Outcome: location}))
		require.NoError(t, store.AppendJournal(t.Context(), key, location))
	}
	for location, store := range stores {
		var got document
		require.NoError(t, store.GetWave(t.Context(), wave, &got))
		require.Equal(t, location, got.Outcome)
		ids, err := store.ListWaves(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{wave}, ids, "a store lists nothing of a neighbour's")
	}
}

func TestAMissingBucketIsAnErrorAndNotAnEmptyStore(t *testing.T) {
	useSimulatedS3(t)
	store, err := Open(t.Context(), "s3://no-such-bucket/prefix", Options{Signer: GenerateKey()})
	require.NoError(t, err)
	var missing *NotFoundError
	_, err = store.ReadJournal(t.Context(), key)
	require.ErrorContains(t, err, "NoSuchBucket")
	require.False(t, errors.As(err, &missing))
	_, err = store.ListWaves(t.Context())
	require.ErrorContains(t, err, "NoSuchBucket")
}

// S3 answers for a bucket of another region with a redirect that leads nowhere.
func TestABucketOfAnotherRegionIsSaidToBeThere(t *testing.T) {
	awsConfig, _ := useSimulatedAWS(t)
	virginia := awsConfig.Copy()
	virginia.Region = "us-east-1"
	client := s3.NewFromConfig(virginia, func(o *s3.Options) { o.UsePathStyle = true })
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("far")})
	require.NoError(t, err)
	store, err := Open(t.Context(), "s3://far/prefix", Options{Signer: GenerateKey()})
	require.NoError(t, err)
	_, listed := store.ListWaves(t.Context())
	_, read := store.ReadJournal(t.Context(), key)
	for name, err := range map[string]error{
		"read": read, "listed": listed, "written": store.PutWave(t.Context(), wave, document{Outcome: "x"}),
		"appended": store.AppendJournal(t.Context(), key, "x"),
	} {
		var elsewhere *OtherRegionError
		require.ErrorAs(t, err, &elsewhere, name)
		require.ErrorContains(t, err, "the bucket far is in us-east-1, and this program asks S3 for it in "+awsConfig.Region)
		require.ErrorContains(t, err, "AWS_REGION=us-east-1")
	}
}
