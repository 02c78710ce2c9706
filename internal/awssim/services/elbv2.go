package services

import (
	"slices"
	"strconv"
	"strings"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

const (
	balancingPage         = 400
	describedTargetGroups = 20 // and not more may be named in one call
)

var badMarker = api.Errorf("ValidationError", "The marker is not valid.")

type balancingService struct{ w *world.World }

func registerLoadBalancing(r *api.Registry, w *world.World) {
	s := balancingService{w}
	const service = "elasticloadbalancing"
	api.Handle(
		r,
		service,
		"DescribeTargetGroups",
		[]string{"TargetGroupArns", "Names", "LoadBalancerArn", "Marker", "PageSize"},
		s.describeGroups,
	)
	api.Handle(r, service, "DescribeTargetGroupAttributes", []string{"TargetGroupArn"}, s.describeAttributes)
	api.Handle(r, service, "DescribeTargetHealth", []string{"TargetGroupArn", "Targets"}, s.describeHealth)
	api.Handle(r, service, "RegisterTargets", []string{"TargetGroupArn", "Targets"}, s.register)
	api.Handle(r, service, "DeregisterTargets", []string{"TargetGroupArn", "Targets"}, s.deregister)
	registerBalancers(r, s)
	registerBalancingTags(r, s)
	api.Handle(r, service, "ModifyTargetGroupAttributes", []string{"TargetGroupArn", "Attributes"}, s.modifyAttributes)
	api.Handle(r, service, "DescribeLoadBalancerAttributes", []string{"LoadBalancerArn"}, s.describeLoadBalancerAttributes)
}

// targetGroupARN refuses what is no ARN of a target group.
func targetGroupARN(arn string) error {
	if strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":targetgroup/") {
		return nil
	}
	return api.Errorf("ValidationError", "'%s' is not a valid target group ARN", arn)
}

func (s balancingService) group(call api.Call, arn *string) (*world.TargetGroup, error) {
	if err := targetGroupARN(deref(arn)); err != nil {
		return nil, err
	}
	return regionOf(s.w, call).TargetGroup(deref(arn))
}

func (s balancingService) describeGroups(
	call api.Call,
	in *elb.DescribeTargetGroupsInput,
) (*elb.DescribeTargetGroupsOutput, error) {
	region := regionOf(s.w, call)
	if len(in.TargetGroupArns) > describedTargetGroups || len(in.Names) > describedTargetGroups {
		return nil, api.Errorf(
			"ValidationError", "You cannot describe more than '%d' target groups at a time", describedTargetGroups,
		)
	}
	for _, arn := range in.TargetGroupArns {
		if err := targetGroupARN(arn); err != nil {
			return nil, err
		}
	}
	var found []*world.TargetGroup
	for _, group := range region.TargetGroups() {
		switch {
		case len(in.TargetGroupArns) > 0 && !slices.Contains(in.TargetGroupArns, group.ARN),
			len(in.Names) > 0 && !slices.Contains(in.Names, group.Name),
			in.LoadBalancerArn != nil &&
				(group.LoadBalancer == "" || region.LoadBalancerARN(group.LoadBalancer) != *in.LoadBalancerArn):
			continue
		}
		found = append(found, group)
	}
	if len(found) < len(in.TargetGroupArns) || len(found) < len(in.Names) {
		return nil, api.Errorf("TargetGroupNotFound", "One or more target groups not found")
	}
	found, next, err := page(found, in.Marker, in.PageSize, balancingPage, badMarker)
	out := &elb.DescribeTargetGroupsOutput{TargetGroups: []types.TargetGroup{}, NextMarker: next}
	for _, group := range found {
		view := types.TargetGroup{
			TargetGroupArn:             &group.ARN,
			TargetGroupName:            &group.Name,
			Port:                       number(group.Port),
			Protocol:                   types.ProtocolEnumHttp,
			TargetType:                 targetType(group),
			HealthCheckEnabled:         ref(!group.Unchecked),
			HealthCheckPath:            &group.HealthPath,
			HealthCheckPort:            ref("traffic-port"),
			HealthCheckProtocol:        types.ProtocolEnumHttp,
			IpAddressType:              addressType(group),
			VpcId:                      ref(group.Network()),
			HealthCheckIntervalSeconds: number(int(group.Interval.Seconds())),
			HealthyThresholdCount:      number(group.HealthyThreshold),
			UnhealthyThresholdCount:    number(group.UnhealthyThreshold),
			HealthCheckTimeoutSeconds:  number(5),
			LoadBalancerArns:           []string{},
			Matcher:                    &types.Matcher{HttpCode: ref("200")},
		}
		if group.LoadBalancer != "" {
			view.LoadBalancerArns = []string{region.LoadBalancerARN(group.LoadBalancer)}
		}
		out.TargetGroups = append(out.TargetGroups, view)
	}
	return out, err
}

func (s balancingService) describeAttributes(
	call api.Call,
	in *elb.DescribeTargetGroupAttributesInput,
) (*elb.DescribeTargetGroupAttributesOutput, error) {
	group, err := s.group(call, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeTargetGroupAttributesOutput{Attributes: attributesOf(group)}, nil
}

func (s balancingService) describeHealth(
	call api.Call,
	in *elb.DescribeTargetHealthInput,
) (*elb.DescribeTargetHealthOutput, error) {
	group, err := s.group(call, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeTargetHealthOutput{TargetHealthDescriptions: []types.TargetHealthDescription{}}
	if len(in.Targets) == 0 {
		for _, target := range group.Targets() {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, s.targetView(target))
		}
		return out, nil
	}
	for _, wanted := range in.Targets {
		if target := group.Find(deref(wanted.Id), int(deref(wanted.Port))); target != nil {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, s.targetView(target))
			continue
		}
		port := wanted.Port
		if port == nil {
			port = number(group.Port)
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, types.TargetHealthDescription{
			Target: &types.TargetDescription{Id: wanted.Id, Port: port},
			TargetHealth: &types.TargetHealth{
				State: types.TargetHealthStateEnumUnused, Reason: types.TargetHealthReasonEnumNotRegistered,
				Description: ref("Target is not registered to the target group"),
			},
		})
	}
	return out, nil
}

func (s balancingService) targetView(target *world.Target) types.TargetHealthDescription {
	view := types.TargetHealthDescription{
		Target:          &types.TargetDescription{Id: ref(target.ID()), Port: number(target.Port)},
		HealthCheckPort: ref(strconv.Itoa(target.Port)),
		TargetHealth: &types.TargetHealth{
			State: types.TargetHealthStateEnum(target.State), Reason: types.TargetHealthReasonEnum(target.Reason),
		},
	}
	switch {
	case target.Group.Peered || target.Instance.Node:
		view.Target.AvailabilityZone = ref(world.OutsideNetwork)
	case s.w.Has(world.DoubtZonesTold):
		view.Target.AvailabilityZone = ref(target.Instance.Zone)
	}
	return view
}

func (s balancingService) register(call api.Call, in *elb.RegisterTargetsInput) (*elb.RegisterTargetsOutput, error) {
	group, err := s.group(call, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	for _, target := range in.Targets {
		if target.AvailabilityZone != nil && !group.ByAddress {
			return nil, api.Errorf("ValidationError", "An Availability Zone cannot be specified for the target '%s', since the "+
				"target type of the target group is instance", deref(target.Id))
		}
		if zone := deref(target.AvailabilityZone); group.Peered && zone != world.OutsideNetwork {
			return nil, api.Errorf("ValidationError", "The Availability Zone '%s' of the target '%s' is not valid: the IP "+
				"address is outside the VPC of the target group, whose targets have the zone 'all'", zone, deref(target.Id))
		}
		// "it must be in the running state when you register it", says the API reference.
		instance := group.Resolve(deref(target.Id))
		if instance == nil || instance.State != world.Running {
			return nil, api.Errorf("InvalidTarget", "The following targets are not in a running state and cannot be "+
				"registered: '%s'", deref(target.Id))
		}
		// "If the IP address is outside the VPC, this parameter is required" (API reference, TargetDescription).
		if instance.Node && deref(target.AvailabilityZone) != world.OutsideNetwork {
			return nil, api.Errorf("ValidationError", "You must specify the Availability Zone 'all' for the target '%s', "+
				"which is outside the VPC of the target group", deref(target.Id))
		}
	}
	for _, target := range in.Targets {
		if err := group.Register(group.Resolve(*target.Id), int(deref(target.Port))); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (s balancingService) deregister(
	call api.Call,
	in *elb.DeregisterTargetsInput,
) (*elb.DeregisterTargetsOutput, error) {
	group, err := s.group(call, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	for _, target := range in.Targets {
		// "If the specified target does not exist, the action returns successfully", says the API reference.
		if group.Find(deref(target.Id), int(deref(target.Port))) == nil {
			continue
		}
		if err := group.Deregister(*target.Id, int(deref(target.Port))); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
