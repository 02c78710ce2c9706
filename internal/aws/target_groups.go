package aws

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

func describeTargetGroup(
	ctx context.Context, s *Services, where string, group elbtypes.TargetGroup,
) (patch.TargetGroup, error) {
	described := patch.TargetGroup{ARN: Deref(group.TargetGroupArn), Name: Deref(group.TargetGroupName), CrossZone: true}
	out, err := s.ELB.DescribeTargetGroupAttributes(
		ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: group.TargetGroupArn},
	)
	if IsNotFound(err) {
		return described, nil // deleted since it was listed
	}
	if err != nil {
		return described, Wrap("describe the attributes of "+described.ARN, where, err)
	}
	crossZone := "use_load_balancer_configuration"
	for _, attribute := range out.Attributes {
		switch value := Deref(attribute.Value); Deref(attribute.Key) {
		case "deregistration_delay.timeout_seconds":
			described.DeregistrationDelay = seconds(value)
		case "slow_start.duration_seconds":
			described.SlowStart = seconds(value)
		case "load_balancing.cross_zone.enabled":
			crossZone = value
		}
	}
	switch crossZone {
	case "true", "false":
		described.CrossZone = crossZone == "true"
	default:
		described.CrossZone, err = balancersCrossZones(ctx, s, where, group.LoadBalancerArns)
	}
	return described, err
}

// balancersCrossZones asks the load balancers where a target group leaves the choice to them. An Application Load
// Balancer always balances across zones; Network and Gateway ones do not unless told to.
func balancersCrossZones(ctx context.Context, s *Services, where string, arns []string) (bool, error) {
	for _, arn := range arns {
		if strings.Contains(arn, ":loadbalancer/app/") {
			continue
		}
		out, err := s.ELB.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn})
		if err != nil {
			return false, Wrap("describe the attributes of "+arn, where, err)
		}
		on := slices.ContainsFunc(out.Attributes, func(attribute elbtypes.LoadBalancerAttribute) bool {
			return Deref(attribute.Key) == "load_balancing.cross_zone.enabled" && Deref(attribute.Value) == "true"
		})
		if !on {
			return false, nil
		}
	}
	return true, nil
}

func seconds(value string) patch.Duration {
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0
	}
	return patch.Duration(time.Duration(n) * time.Second)
}
