package services

import (
	"slices"
	"strconv"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// The attributes of a target group that are modelled.
const (
	delayAttribute  = "deregistration_delay.timeout_seconds"
	stickyAttribute = "stickiness.enabled"
	// which requests go where is nothing that health and draining depend on
	stickyTypeAttribute = "stickiness.type"
	stickyTimeAttribute = "stickiness.lb_cookie.duration_seconds"
	slowStartAttribute  = "slow_start.duration_seconds"
	crossZoneAttribute  = "load_balancing.cross_zone.enabled"
	unhealthyAttribute  = "target_health_state.unhealthy.draining_interval_seconds"
)

func targetType(group *world.TargetGroup) types.TargetTypeEnum {
	if group.ByAddress {
		return types.TargetTypeEnumIp
	}
	return types.TargetTypeEnumInstance
}

func addressType(group *world.TargetGroup) types.TargetGroupIpAddressTypeEnum {
	if group.IPv6 {
		return types.TargetGroupIpAddressTypeEnumIpv6
	}
	return types.TargetGroupIpAddressTypeEnumIpv4
}

func attributesOf(group *world.TargetGroup) []types.TargetGroupAttribute {
	var attributes []types.TargetGroupAttribute
	for _, pair := range [][2]string{
		{delayAttribute, strconv.Itoa(int(group.DeregistrationDelay.Seconds()))},
		{stickyAttribute, strconv.FormatBool(group.Sticky)},
		{stickyTypeAttribute, "lb_cookie"},
		{stickyTimeAttribute, strconv.Itoa(int(group.StickyFor.Seconds()))},
		{slowStartAttribute, strconv.Itoa(int(group.SlowStart.Seconds()))},
		{crossZoneAttribute, group.CrossZone},
		{unhealthyAttribute, strconv.Itoa(int(group.UnhealthyDraining.Seconds()))},
	} {
		attributes = append(attributes, types.TargetGroupAttribute{Key: &pair[0], Value: &pair[1]})
	}
	return attributes
}

func (s balancingService) modifyAttributes(
	call api.Call, in *elb.ModifyTargetGroupAttributesInput,
) (*elb.ModifyTargetGroupAttributesOutput, error) {
	group, err := s.group(call, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	changed := *group
	for _, attribute := range in.Attributes {
		if err := setAttribute(&changed, deref(attribute.Key), deref(attribute.Value)); err != nil {
			return nil, err
		}
	}
	group.DeregistrationDelay, group.SlowStart = changed.DeregistrationDelay, changed.SlowStart
	group.CrossZone = changed.CrossZone
	group.UnhealthyDraining = changed.UnhealthyDraining
	group.Sticky, group.StickyFor = changed.Sticky, changed.StickyFor
	return &elb.ModifyTargetGroupAttributesOutput{Attributes: attributesOf(group)}, nil
}

func setAttribute(group *world.TargetGroup, key, value string) error {
	wrong := api.Errorf("ValidationError", "The value '%s' is not valid for attribute '%s'", value, key)
	seconds, err := strconv.Atoi(value)
	switch key {
	case delayAttribute:
		if err != nil || seconds < 0 || seconds > 3600 {
			return wrong
		}
		group.DeregistrationDelay = time.Duration(seconds) * time.Second
	case stickyAttribute:
		if value != "true" && value != "false" {
			return wrong
		}
		group.Sticky = value == "true"
	case stickyTypeAttribute:
		if value == "app_cookie" {
			return api.NotModelled("attribute %s=%s of a target group", key, value)
		}
		if value != "lb_cookie" {
			return wrong
		}
	case stickyTimeAttribute:
		if err != nil || seconds < 1 || seconds > 604800 {
			return wrong
		}
		group.StickyFor = time.Duration(seconds) * time.Second
	case slowStartAttribute:
		if err != nil || seconds != 0 && (seconds < 30 || seconds > 900) {
			return wrong
		}
		group.SlowStart = time.Duration(seconds) * time.Second
	case unhealthyAttribute:
		if err != nil || seconds < 0 || seconds > 360000 {
			return wrong
		}
		group.UnhealthyDraining = time.Duration(seconds) * time.Second
	case crossZoneAttribute:
		if !slices.Contains([]string{"true", "false", "use_load_balancer_configuration"}, value) {
			return wrong
		}
		group.CrossZone = value
	default:
		return api.NotModelled("attribute %s of a target group", key)
	}
	return nil
}

// describeLoadBalancerAttributes tells of application load balancers, whose cross-zone balancing is always on.
func (s balancingService) describeLoadBalancerAttributes(
	call api.Call, in *elb.DescribeLoadBalancerAttributesInput,
) (*elb.DescribeLoadBalancerAttributesOutput, error) {
	region := regionOf(s.w, call)
	if _, err := region.Balancer(deref(in.LoadBalancerArn)); err != nil {
		return nil, err
	}
	out := &elb.DescribeLoadBalancerAttributesOutput{}
	for _, pair := range [][2]string{
		{"load_balancing.cross_zone.enabled", "true"},
		{"deletion_protection.enabled", "false"},
		{"idle_timeout.timeout_seconds", "60"},
		{"routing.http2.enabled", "true"},
		{"access_logs.s3.enabled", "false"},
	} {
		out.Attributes = append(out.Attributes, types.LoadBalancerAttribute{Key: &pair[0], Value: &pair[1]})
	}
	return out, nil
}
