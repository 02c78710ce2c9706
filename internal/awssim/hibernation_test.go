package awssim

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// A hibernated instance goes on in the boot it was in, where a stopped one boots anew.
func TestWarmPoolsStopOrHibernate(t *testing.T) {
	for _, tc := range []struct {
		state, lifecycle string
		sameBoot         bool
	}{{"Stopped", "Warmed:Stopped", false}, {"Hibernated", "Warmed:Hibernated", true}, {"Running", "Warmed:Running", true}} {
		t.Run(tc.state, func(t *testing.T) {
			f := fleetWith(t, groupOf(", warm_pool: {min_size: 1, max_prepared: 5, state: "+tc.state+"}"))
			boots := map[string]string{}
			look := func() {
				f.Inspect(func(w *world.World) {
					for _, instance := range w.Account(production).Region(tokyo).Instances() {
						if instance.BootID() != "" {
							boots[instance.ID] = instance.BootID()
						}
					}
				})
			}
			for range 20 {
				f.pass(15 * time.Second)
				look()
			}
			out, err := f.scaling.DescribeWarmPool(
				f.ctx, &autoscaling.DescribeWarmPoolInput{AutoScalingGroupName: aws.String("web")},
			)
			require.NoError(t, err)
			require.EqualValues(t, tc.lifecycle, out.Instances[0].LifecycleState)
			require.EqualValues(t, tc.state, out.WarmPoolConfiguration.PoolState)
			warm := *out.Instances[0].InstanceId
			boot := boots[warm]
			require.NoError(t, f.resize(autoscaling.UpdateAutoScalingGroupInput{DesiredCapacity: aws.Int32(5)}))
			f.pass(3 * time.Minute)
			require.Equal(t, "InService", f.lifecycle(warm))
			require.Equal(t, "healthy", f.target(warm))
			look()
			require.Equal(t, tc.sameBoot, boot == boots[warm])
		})
	}
}

func TestHibernationNeedsItsTemplate(t *testing.T) {
	f := newFleet(t)
	_, err := f.scaling.PutWarmPool(
		f.ctx,
		&autoscaling.PutWarmPoolInput{AutoScalingGroupName: aws.String("web"), PoolState: astypes.WarmPoolStateHibernated},
	)
	requireCode(t, err, "ValidationError")
	_, err = f.ec2.StopInstances(f.ctx, &ec2.StopInstancesInput{InstanceIds: f.ids()[:1], Hibernate: aws.Bool(true)})
	requireCode(t, err, "UnsupportedHibernationConfiguration")

	image := f.group().LaunchTemplate
	versions, err := f.ec2.CreateLaunchTemplateVersion(f.ctx, &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: image.LaunchTemplateId, SourceVersion: aws.String("1"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			HibernationOptions: &types.LaunchTemplateHibernationOptionsRequest{Configured: aws.Bool(true)},
		},
	})
	require.NoError(t, err)
	require.True(t, *versions.LaunchTemplateVersion.LaunchTemplateData.HibernationOptions.Configured)
	require.NoError(
		t, f.resize(autoscaling.UpdateAutoScalingGroupInput{LaunchTemplate: &astypes.LaunchTemplateSpecification{
			LaunchTemplateId: image.LaunchTemplateId, Version: aws.String("$Latest"),
		}}))
	_, err = f.scaling.PutWarmPool(
		f.ctx,
		&autoscaling.PutWarmPoolInput{AutoScalingGroupName: aws.String("web"), PoolState: astypes.WarmPoolStateHibernated},
	)
	require.NoError(t, err)
}
