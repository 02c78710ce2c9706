package awssim

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

// Machines read their override lists out of the same S3 that clients write to, unless they cannot.
func TestOverrideListFromS3(t *testing.T) {
	for _, tc := range []struct {
		name, faults string
		want         types.CommandInvocationStatus
	}{
		{"read", "", types.CommandInvocationStatusSuccess},
		{
			"not downloadable", "faults:\n  world:\n    - {kind: override_unreadable, account: production}\n",
			types.CommandInvocationStatusFailed,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := fleetWith(t, tc.faults)
			_, err := f.s3.CreateBucket(f.ctx, &s3.CreateBucketInput{
				Bucket:                    aws.String("manifests"),
				CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: tokyo},
			})
			require.NoError(t, err)
			_, err = f.s3.PutObject(f.ctx, &s3.PutObjectInput{
				Bucket: aws.String("manifests"), Key: aws.String("web.yaml"),
				Body: strings.NewReader("patches: [{id: 'curl*', title: '*'}]\n"),
			})
			require.NoError(t, err)
			id := f.ids()[0]
			sent, err := f.ssm.SendCommand(f.ctx, &ssm.SendCommandInput{
				DocumentName: aws.String("AWS-RunPatchBaseline"), InstanceIds: []string{id},
				Parameters: map[string][]string{
					"Operation": {"Install"}, "RebootOption": {"NoReboot"}, "InstallOverrideList": {"s3://manifests/web.yaml"},
				},
			})
			require.NoError(t, err)
			f.pass(5 * time.Minute)
			got, err := f.ssm.GetCommandInvocation(
				f.ctx, &ssm.GetCommandInvocationInput{
					CommandId: sent.Command.CommandId, InstanceId: &id, PluginName: aws.String("PatchLinux"),
				},
			)
			require.NoError(t, err)
			require.Equal(t, tc.want, got.Status, aws.ToString(got.StandardErrorContent))
		})
	}
}
