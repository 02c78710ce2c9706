package aws

import (
	"context"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// LoadBalancingAPI is what Patchtide uses of Elastic Load Balancing v2.
type LoadBalancingAPI interface {
	DescribeTargetGroups(ctx context.Context, in *elb.DescribeTargetGroupsInput, opts ...func(*elb.Options)) (
		*elb.DescribeTargetGroupsOutput, error,
	)
	DescribeTargetGroupAttributes(
		ctx context.Context,
		in *elb.DescribeTargetGroupAttributesInput,
		opts ...func(*elb.Options),
	) (*elb.DescribeTargetGroupAttributesOutput, error)
	DescribeLoadBalancerAttributes(
		ctx context.Context,
		in *elb.DescribeLoadBalancerAttributesInput,
		opts ...func(*elb.Options),
	) (*elb.DescribeLoadBalancerAttributesOutput, error)
	DescribeTargetHealth(ctx context.Context, in *elb.DescribeTargetHealthInput, opts ...func(*elb.Options)) (
		*elb.DescribeTargetHealthOutput, error,
	)

	RegisterTargets(ctx context.Context, in *elb.RegisterTargetsInput, opts ...func(*elb.Options)) (
		*elb.RegisterTargetsOutput, error,
	)
	DeregisterTargets(ctx context.Context, in *elb.DeregisterTargetsInput, opts ...func(*elb.Options)) (
		*elb.DeregisterTargetsOutput, error,
	)
}
