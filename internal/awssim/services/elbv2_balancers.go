package services

import (
	"slices"
	"strings"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerBalancers(r *api.Registry, s balancingService) {
	const service = "elasticloadbalancing"
	api.Handle(
		r, service, "DescribeLoadBalancers", []string{"LoadBalancerArns", "Names", "Marker", "PageSize"},
		s.describeLoadBalancers,
	)
	api.Handle(
		r, service, "DescribeListeners", []string{"LoadBalancerArn", "ListenerArns", "Marker", "PageSize"},
		s.describeListeners,
	)
	api.Handle(
		r, service, "CreateLoadBalancer", []string{"Name", "Subnets", "SecurityGroups", "Scheme", "Type", "Tags"},
		s.createBalancer,
	)
	api.Handle(
		r, service, "CreateListener", []string{"LoadBalancerArn", "Port", "Protocol", "DefaultActions"}, s.createListener,
	)
	api.Handle(r, service, "DeleteListener", []string{"ListenerArn"},
		func(call api.Call, in *elb.DeleteListenerInput) (*elb.DeleteListenerOutput, error) {
			return nil, regionOf(s.w, call).StopListening(deref(in.ListenerArn))
		})
	api.Handle(r, service, "DeleteLoadBalancer", []string{"LoadBalancerArn"},
		func(call api.Call, in *elb.DeleteLoadBalancerInput) (*elb.DeleteLoadBalancerOutput, error) {
			return nil, regionOf(s.w, call).DeleteBalancer(deref(in.LoadBalancerArn))
		})
}

// createBalancer makes application load balancers, which have subnets in two zones at least.
func (s balancingService) createBalancer(
	call api.Call, in *elb.CreateLoadBalancerInput,
) (*elb.CreateLoadBalancerOutput, error) {
	region := regionOf(s.w, call)
	if in.Type != "" && in.Type != types.LoadBalancerTypeEnumApplication {
		return nil, api.NotModelled("load balancers of the type %s", in.Type)
	}
	zones := map[string]bool{}
	for _, subnet := range in.Subnets {
		zone, err := region.ZoneOf(subnet)
		if err != nil {
			return nil, api.Errorf("SubnetNotFound", "The subnet ID '%s' does not exist", subnet)
		}
		zones[zone] = true
	}
	if len(zones) < 2 {
		return nil, api.Errorf(
			"ValidationError", "At least two subnets in two different Availability Zones must be specified",
		)
	}
	for _, id := range in.SecurityGroups {
		if _, err := region.SecurityGroup(id); err != nil {
			return nil, api.Errorf("InvalidSecurityGroup", "The security group '%s' does not exist", id)
		}
	}
	tags, err := balancingTags(in.Tags)
	if err != nil {
		return nil, err
	}
	scheme := "internet-facing"
	if in.Scheme != "" {
		scheme = string(in.Scheme)
	}
	made, err := region.CreateBalancer(world.Balancer{
		Name: deref(in.Name), Scheme: scheme, Subnets: in.Subnets, SecurityGroups: in.SecurityGroups, Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	return &elb.CreateLoadBalancerOutput{LoadBalancers: []types.LoadBalancer{balancerView(made)}}, nil
}

func balancerView(b *world.Balancer) types.LoadBalancer {
	state := types.LoadBalancerStateEnumProvisioning
	if b.Active() {
		state = types.LoadBalancerStateEnumActive
	}
	view := types.LoadBalancer{
		LoadBalancerArn: ref(b.ARN()), LoadBalancerName: &b.Name, Type: types.LoadBalancerTypeEnumApplication,
		Scheme: types.LoadBalancerSchemeEnum(b.Scheme), VpcId: ref(b.Region.VPC()),
		State:   &types.LoadBalancerState{Code: state},
		DNSName: ref(b.Name + "." + b.Region.Name + ".elb.amazonaws.com"), CreatedTime: moment(b.Created),
		SecurityGroups: b.SecurityGroups,
	}
	for _, subnet := range b.Subnets {
		zone, _ := b.Region.ZoneOf(subnet) // it was checked when the load balancer was made
		view.AvailabilityZones = append(view.AvailabilityZones, types.AvailabilityZone{SubnetId: &subnet, ZoneName: &zone})
	}
	return view
}

// createListener forwards HTTP to one target group.
func (s balancingService) createListener(
	call api.Call, in *elb.CreateListenerInput,
) (*elb.CreateListenerOutput, error) {
	balancer, err := regionOf(s.w, call).Balancer(deref(in.LoadBalancerArn))
	if err != nil {
		return nil, err
	}
	switch {
	case in.Protocol != types.ProtocolEnumHttp:
		return nil, api.NotModelled("listeners of the protocol %q", in.Protocol)
	case in.Port == nil || *in.Port < 1 || *in.Port > 65535:
		return nil, api.Errorf("ValidationError", "A listener port between 1 and 65535 must be specified")
	case len(in.DefaultActions) != 1 || in.DefaultActions[0].Type != types.ActionTypeEnumForward:
		return nil, api.NotModelled("listeners of other default actions than one that forwards")
	case in.DefaultActions[0].TargetGroupArn == nil:
		return nil, api.NotModelled("a listener that forwards to several target groups")
	}
	group, err := s.group(call, in.DefaultActions[0].TargetGroupArn)
	if err != nil {
		return nil, err
	}
	listener, err := balancer.Listen(int(*in.Port), group)
	if err != nil {
		return nil, err
	}
	return &elb.CreateListenerOutput{Listeners: []types.Listener{listenerView(balancer, listener)}}, nil
}

func listenerView(b *world.Balancer, listener world.Listener) types.Listener {
	return types.Listener{
		ListenerArn: &listener.ARN, LoadBalancerArn: ref(b.ARN()), Protocol: types.ProtocolEnumHttp,
		Port: number(listener.Port),
		DefaultActions: []types.Action{{
			Type: types.ActionTypeEnumForward, TargetGroupArn: &listener.Group.ARN, ForwardConfig: &types.ForwardActionConfig{
				TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: &listener.Group.ARN, Weight: number(1)}},
			},
		}},
	}
}

func (s balancingService) describeListeners(
	call api.Call, in *elb.DescribeListenersInput,
) (*elb.DescribeListenersOutput, error) {
	region := regionOf(s.w, call)
	if in.LoadBalancerArn == nil && len(in.ListenerArns) == 0 {
		return nil, api.Errorf("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
	}
	if in.LoadBalancerArn != nil {
		if _, err := region.Balancer(*in.LoadBalancerArn); err != nil {
			return nil, err
		}
	}
	found := []types.Listener{}
	for _, balancer := range region.Balancers() {
		for _, listener := range balancer.Listeners {
			if slices.Contains(in.ListenerArns, listener.ARN) || deref(in.LoadBalancerArn) == balancer.ARN() {
				found = append(found, listenerView(balancer, listener))
			}
		}
	}
	if len(found) < len(in.ListenerArns) {
		return nil, api.Errorf("ListenerNotFound", "One or more listeners not found")
	}
	found, next, err := page(found, in.Marker, in.PageSize, balancingPage, badMarker)
	return &elb.DescribeListenersOutput{Listeners: found, NextMarker: next}, err
}

func (s balancingService) describeLoadBalancers(
	call api.Call, in *elb.DescribeLoadBalancersInput,
) (*elb.DescribeLoadBalancersOutput, error) {
	for _, arn := range in.LoadBalancerArns {
		if !strings.Contains(arn, ":loadbalancer/") {
			return nil, api.Errorf("ValidationError", "'%s' is not a valid load balancer ARN", arn)
		}
	}
	found := []types.LoadBalancer{}
	for _, balancer := range regionOf(s.w, call).Balancers() {
		if len(in.Names) > 0 && !slices.Contains(in.Names, balancer.Name) ||
			len(in.LoadBalancerArns) > 0 && !slices.Contains(in.LoadBalancerArns, balancer.ARN()) {
			continue
		}
		found = append(found, balancerView(balancer))
	}
	if len(found) < len(in.Names) || len(found) < len(in.LoadBalancerArns) {
		return nil, api.Errorf("LoadBalancerNotFound", "One or more load balancers not found")
	}
	found, next, err := page(found, in.Marker, in.PageSize, balancingPage, badMarker)
	return &elb.DescribeLoadBalancersOutput{LoadBalancers: found, NextMarker: next}, err
}
