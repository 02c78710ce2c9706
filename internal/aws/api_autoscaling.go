package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

// AutoScalingAPI is what Patchtide uses of EC2 Auto Scaling.
type AutoScalingAPI interface {
	DescribeAutoScalingGroups(
		ctx context.Context,
		in *autoscaling.DescribeAutoScalingGroupsInput,
		opts ...func(*autoscaling.Options),
	) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DescribeInstanceRefreshes(
		ctx context.Context,
		in *autoscaling.DescribeInstanceRefreshesInput,
		opts ...func(*autoscaling.Options),
	) (*autoscaling.DescribeInstanceRefreshesOutput, error)
	DescribeScalingActivities(
		ctx context.Context,
		in *autoscaling.DescribeScalingActivitiesInput,
		opts ...func(*autoscaling.Options),
	) (*autoscaling.DescribeScalingActivitiesOutput, error)
	DescribeAutoScalingInstances(
		ctx context.Context,
		in *autoscaling.DescribeAutoScalingInstancesInput,
		opts ...func(*autoscaling.Options),
	) (*autoscaling.DescribeAutoScalingInstancesOutput, error)

	SuspendProcesses(ctx context.Context, in *autoscaling.SuspendProcessesInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.SuspendProcessesOutput, error,
	)
	ResumeProcesses(ctx context.Context, in *autoscaling.ResumeProcessesInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.ResumeProcessesOutput, error,
	)
	SetInstanceHealth(ctx context.Context, in *autoscaling.SetInstanceHealthInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.SetInstanceHealthOutput, error,
	)
	CreateOrUpdateTags(ctx context.Context, in *autoscaling.CreateOrUpdateTagsInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.CreateOrUpdateTagsOutput, error,
	)
	DeleteTags(ctx context.Context, in *autoscaling.DeleteTagsInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.DeleteTagsOutput, error,
	)

	EnterStandby(ctx context.Context, in *autoscaling.EnterStandbyInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.EnterStandbyOutput, error,
	)
	ExitStandby(ctx context.Context, in *autoscaling.ExitStandbyInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.ExitStandbyOutput, error,
	)
	AttachInstances(ctx context.Context, in *autoscaling.AttachInstancesInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.AttachInstancesOutput, error,
	)
	DetachInstances(ctx context.Context, in *autoscaling.DetachInstancesInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.DetachInstancesOutput, error,
	)

	UpdateAutoScalingGroup(
		ctx context.Context,
		in *autoscaling.UpdateAutoScalingGroupInput,
		opts ...func(*autoscaling.Options),
	) (*autoscaling.UpdateAutoScalingGroupOutput, error)
	SetDesiredCapacity(ctx context.Context, in *autoscaling.SetDesiredCapacityInput, opts ...func(*autoscaling.Options)) (
		*autoscaling.SetDesiredCapacityOutput, error,
	)
	TerminateInstanceInAutoScalingGroup(
		ctx context.Context,
		in *autoscaling.TerminateInstanceInAutoScalingGroupInput,
		opts ...func(*autoscaling.Options),
	) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error)
}
