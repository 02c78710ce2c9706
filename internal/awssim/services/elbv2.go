package services

import (
	"slices"
	"strconv"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

const balancingPage = 400

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
	api.Handle(
		r,
		service,
		"DescribeLoadBalancers",
		[]string{"LoadBalancerArns", "Names", "Marker", "PageSize"},
		s.describeLoadBalancers,
	)
	api.Handle(r, service, "DescribeTags", []string{"ResourceArns"}, s.describeTags)
	api.Handle(r, service, "ModifyTargetGroupAttributes", []string{"TargetGroupArn", "Attributes"}, s.modifyAttributes)
	api.Handle(r, service, "DescribeLoadBalancerAttributes", []string{"LoadBalancerArn"}, s.describeLoadBalancerAttributes)
}

func (s balancingService) describeGroups(
	call api.Call,
	in *elb.DescribeTargetGroupsInput,
) (*elb.DescribeTargetGroupsOutput, error) {
	region := regionOf(s.w, call)
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
			TargetGroupArn:      &group.ARN,
			TargetGroupName:     &group.Name,
			Port:                number(group.Port),
			Protocol:            types.ProtocolEnumHttp,
			TargetType:          targetType(group),
			HealthCheckEnabled:  ref(!group.Unchecked),
			HealthCheckPath:     &group.HealthPath,
			HealthCheckPort:     ref("traffic-port"),
			HealthCheckProtocol: types.ProtocolEnumHttp,
			VpcId: ref("vpc-0" + call.Account +
				"0000"),
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
	group, err := regionOf(s.w, call).TargetGroup(deref(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	return &elb.DescribeTargetGroupAttributesOutput{Attributes: attributesOf(group)}, nil
}

func (s balancingService) describeHealth(
	call api.Call,
	in *elb.DescribeTargetHealthInput,
) (*elb.DescribeTargetHealthOutput, error) {
	group, err := regionOf(s.w, call).TargetGroup(deref(in.TargetGroupArn))
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
	if s.w.Has(world.DoubtZonesTold) {
		view.Target.AvailabilityZone = ref(target.Instance.Zone)
	}
	return view
}

func (s balancingService) register(call api.Call, in *elb.RegisterTargetsInput) (*elb.RegisterTargetsOutput, error) {
	group, err := regionOf(s.w, call).TargetGroup(deref(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	for _, target := range in.Targets {
		if target.AvailabilityZone != nil && !group.ByAddress {
			return nil, api.Errorf("ValidationError", "An Availability Zone cannot be specified for the target '%s', since the "+
				"target type of the target group is instance", deref(target.Id))
		}
		if instance := group.Resolve(deref(target.Id)); instance == nil ||
			instance.State != world.Running && instance.State != world.Pending {
			return nil, api.Errorf("InvalidTarget", "The following targets are not in a running state and cannot be "+
				"registered: '%s'", deref(target.Id))
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
	group, err := regionOf(s.w, call).TargetGroup(deref(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	for _, target := range in.Targets {
		if group.Find(deref(target.Id), int(deref(target.Port))) == nil {
			return nil, api.Errorf("InvalidTarget", "The following targets are not registered: '%s'", deref(target.Id))
		}
	}
	for _, target := range in.Targets {
		if err := group.Deregister(*target.Id, int(deref(target.Port))); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (s balancingService) describeLoadBalancers(
	call api.Call,
	in *elb.DescribeLoadBalancersInput,
) (*elb.DescribeLoadBalancersOutput, error) {
	region := regionOf(s.w, call)
	var names []string
	for _, group := range region.TargetGroups() {
		name := group.LoadBalancer
		arn := region.LoadBalancerARN(name)
		switch {
		case name == "" || slices.Contains(names, name),
			len(in.Names) > 0 && !slices.Contains(in.Names, name),
			len(in.LoadBalancerArns) > 0 && !slices.Contains(in.LoadBalancerArns, arn):
			continue
		}
		names = append(names, name)
	}
	if len(names) < len(in.Names) || len(names) < len(in.LoadBalancerArns) {
		return nil, api.Errorf("LoadBalancerNotFound", "One or more load balancers not found")
	}
	names, next, err := page(names, in.Marker, in.PageSize, balancingPage, badMarker)
	out := &elb.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancer{}, NextMarker: next}
	for _, name := range names {
		out.LoadBalancers = append(out.LoadBalancers, types.LoadBalancer{
			LoadBalancerArn:  ref(region.LoadBalancerARN(name)),
			LoadBalancerName: &name,
			Type:             types.LoadBalancerTypeEnumApplication,
			Scheme:           types.LoadBalancerSchemeEnumInternal,
			VpcId:            ref("vpc-0" + call.Account + "0000"),
			State:            &types.LoadBalancerState{Code: types.LoadBalancerStateEnumActive},
			DNSName:          ref(name + "." + call.Region + ".elb.amazonaws.com"),
			CreatedTime:      moment(s.w.Start()),
		})
	}
	return out, err
}

func (s balancingService) describeTags(call api.Call, in *elb.DescribeTagsInput) (*elb.DescribeTagsOutput, error) {
	region := regionOf(s.w, call)
	out := &elb.DescribeTagsOutput{}
	for _, arn := range in.ResourceArns {
		group, err := region.TargetGroup(arn)
		if err != nil {
			return nil, err
		}
		description := types.TagDescription{ResourceArn: &arn, Tags: []types.Tag{}}
		for _, key := range group.Tags.Keys() {
			description.Tags = append(description.Tags, types.Tag{Key: &key, Value: ref(group.Tags[key])})
		}
		out.TagDescriptions = append(out.TagDescriptions, description)
	}
	return out, nil
}
