package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/patchtide/patchtide/internal/patch"
)

// SetDesired sets desired at once, whatever cooldown runs. Its error has no kind yet; see Wrap.
func SetDesired(ctx context.Context, s *Services, group patch.Group, desired int) error {
	_, err := s.AutoScaling.SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: &group.AutoScalingGroup, DesiredCapacity: Ptr(int32(desired)), HonorCooldown: Ptr(false),
	})
	return err
}

// SetSizes sets what is not nil in one call. Its error has no kind yet; see Wrap.
func SetSizes(ctx context.Context, s *Services, group patch.Group, most, desired *int32) error {
	_, err := s.AutoScaling.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: &group.AutoScalingGroup, MaxSize: most, DesiredCapacity: desired,
	})
	return err
}

// ChangedMeanwhile refuses to write an absolute number over somebody else's.
func ChangedMeanwhile(group patch.Group, what string, now, before int) error {
	return Final(Refused, "%s: somebody changed %s from %d to %d meanwhile; it is left as it is", group, what, before, now)
}
