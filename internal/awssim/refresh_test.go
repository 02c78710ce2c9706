package awssim

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/stretchr/testify/require"
)

func TestInstanceRefreshWaitsForStandbyThenFails(t *testing.T) {
	f := newFleet(t)
	ids := f.ids()
	require.NoError(t, f.enter(ids[0], true))
	f.pass(61 * time.Second)
	f.group()
	_, err := f.scaling.StartInstanceRefresh(
		f.ctx, &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("web")},
	)
	require.NoError(t, err)
	_, err = f.scaling.StartInstanceRefresh(
		f.ctx, &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("web")},
	)
	requireCode(t, err, "InstanceRefreshInProgress")
	status := func() astypes.InstanceRefreshStatus {
		out, err := f.scaling.DescribeInstanceRefreshes(
			f.ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String("web")},
		)
		require.NoError(t, err)
		return out.InstanceRefreshes[0].Status
	}
	f.pass(30 * time.Minute)
	require.Equal(t, astypes.InstanceRefreshStatusInProgress, status())
	require.Equal(t, "Standby", f.lifecycle(ids[0]))
	require.Empty(t, f.lifecycle(ids[1]))
	f.pass(2 * time.Hour)
	require.Equal(t, astypes.InstanceRefreshStatusFailed, status())
	_, err = f.scaling.CancelInstanceRefresh(
		f.ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: aws.String("web")},
	)
	requireCode(t, err, "ActiveInstanceRefreshNotFound")
}

func TestInstanceRefreshLeavesSoManyHealthy(t *testing.T) {
	for name, c := range map[string]struct {
		low  *int32
		gone int
	}{
		"where nothing is said: ninety percent": {nil, 1},
		"a half":                                {aws.Int32(50), 2},
		"none":                                  {aws.Int32(0), 4},
		"all":                                   {aws.Int32(100), 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			_, err := f.scaling.StartInstanceRefresh(f.ctx, &autoscaling.StartInstanceRefreshInput{
				AutoScalingGroupName: aws.String("web"),
				Preferences:          &astypes.RefreshPreferences{MinHealthyPercentage: c.low},
			})
			require.NoError(t, err)
			gone := 0
			for _, member := range f.group().Instances {
				if member.LifecycleState == astypes.LifecycleStateTerminating {
					gone++
				}
			}
			require.Equal(t, c.gone, gone)
		})
	}
}

func TestTagsOfAGroup(t *testing.T) {
	f := newFleet(t)
	tag := astypes.Tag{
		Key: aws.String("patchtide:wave"), Value: aws.String("w1"), PropagateAtLaunch: aws.Bool(false),
		ResourceId: aws.String("web"), ResourceType: aws.String("auto-scaling-group"),
	}
	_, err := f.scaling.CreateOrUpdateTags(f.ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []astypes.Tag{tag}})
	require.NoError(t, err)
	filter := []astypes.Filter{{Name: aws.String("key"), Values: []string{"patchtide:wave"}}}
	out, err := f.scaling.DescribeTags(f.ctx, &autoscaling.DescribeTagsInput{Filters: filter})
	require.NoError(t, err)
	require.Len(t, out.Tags, 1)
	_, err = f.scaling.DeleteTags(
		f.ctx,
		&autoscaling.DeleteTagsInput{
			Tags: []astypes.Tag{{Key: tag.Key, ResourceId: tag.ResourceId, ResourceType: tag.ResourceType}},
		},
	)
	require.NoError(t, err)
	out, err = f.scaling.DescribeTags(f.ctx, &autoscaling.DescribeTagsInput{Filters: filter})
	require.NoError(t, err)
	require.Empty(t, out.Tags)
}
