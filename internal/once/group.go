package once

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// Drop terminates a member with decrement and waits until AWS shows it.
func (w Waits) Drop(ctx context.Context, s *aws.Services, in aws.Instance, pace Pace) error {
	_, err := s.AutoScaling.TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: &in.ID, ShouldDecrementDesiredCapacity: aws.Ptr(true),
	})
	if err != nil {
		Refused(ctx, err)
		return aws.Wrap("terminate the instance with decrement", in.String(), err)
	}
	Dropped(in, pace).Sent(ctx)
	return w.See(ctx, s, Dropped(in, pace))
}

// Dropped is the effect of letting a member go.
func Dropped(in aws.Instance, pace Pace) Effect {
	return Shows(in.Group, pace, in.ID+" on its way out of its group", func(group *astypes.AutoScalingGroup) bool {
		listed := aws.FindMember(group, in.ID)
		return listed == nil || aws.Leaving(string(listed.LifecycleState))
	})
}

// DesiredSet is the effect of setting desired: it is no longer what it was.
func DesiredSet(group patch.Group, pace Pace, from, to int) Effect {
	return Shows(group, pace, fmt.Sprintf("desired as %d", to), func(now *astypes.AutoScalingGroup) bool {
		return int(aws.Deref(now.DesiredCapacity)) != from
	})
}

// SetDesired sets desired and waits until AWS shows it.
func (w Waits) SetDesired(ctx context.Context, s *aws.Services, desired int, set Effect) error {
	return w.Apply(ctx, s, fmt.Sprintf("set desired to %d", desired), set, func() error {
		return aws.SetDesired(ctx, s, set.Group, desired)
	})
}

// LeftState is the effect of a call that takes an instance out of a state; doing completes "AWS to show i-1...".
func LeftState(in aws.Instance, pace Pace, doing, state string) Effect {
	return Shows(in.Group, pace, in.ID+doing, func(group *astypes.AutoScalingGroup) bool {
		listed := aws.FindMember(group, in.ID)
		return listed == nil || string(listed.LifecycleState) != state
	})
}
