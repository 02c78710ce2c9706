package services

import (
	"maps"
	"reflect"
	"slices"
	"time"

	as "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerCreation registers the calls by which clients make, and unmake, what scenarios begin with.
func registerCreation(r *api.Registry, w *world.World) {
	registerCreationEC2(r, w)
	s := scalingService{w}
	api.Handle(r, "autoscaling", "CreateAutoScalingGroup", []string{
		"AutoScalingGroupName", "MinSize", "MaxSize", "DesiredCapacity", "AvailabilityZones", "LaunchTemplate",
		"TargetGroupARNs",
		"HealthCheckType", "HealthCheckGracePeriod", "Tags", "VPCZoneIdentifier", "DefaultCooldown", "MixedInstancesPolicy",
	}, s.create)
	b := balancingService{w}
	api.Handle(r, "elasticloadbalancing", "CreateTargetGroup", []string{
		"Name", "Protocol", "Port", "VpcId", "TargetType", "HealthCheckPath", "HealthCheckIntervalSeconds",
		"HealthyThresholdCount",
		"UnhealthyThresholdCount", "Tags",
	}, b.createGroup)
	api.Handle(r, "elasticloadbalancing", "ModifyTargetGroup", []string{
		"TargetGroupArn", "HealthCheckPath", "HealthCheckIntervalSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount",
	}, b.modifyGroup)
	api.Handle(r, "elasticloadbalancing", "DeleteTargetGroup", []string{"TargetGroupArn"},
		func(c api.Call, in *elb.DeleteTargetGroupInput) (*elb.DeleteTargetGroupOutput, error) {
			return nil, regionOf(w, c).DeleteTargetGroup(deref(in.TargetGroupArn))
		})
	api.Handle(
		r, "monitoring", "DeleteAlarms", []string{"AlarmNames"},
		func(c api.Call, in *cw.DeleteAlarmsInput) (*cw.DeleteAlarmsOutput, error) {
			regionOf(w, c).DeleteAlarms(in.AlarmNames)
			return nil, nil
		})
	api.Handle(
		r, "ssm", "DeleteParameter", []string{"Name"},
		func(c api.Call, in *ssm.DeleteParameterInput) (*ssm.DeleteParameterOutput, error) {
			if !regionOf(w, c).DeleteParameter(deref(in.Name)) {
				return nil, api.Errorf("ParameterNotFound", "Parameter %s not found.", deref(in.Name))
			}
			return nil, nil
		})
	api.Handle(
		r, "ssm", "DeleteDocument", []string{"Name"},
		func(c api.Call, in *ssm.DeleteDocumentInput) (*ssm.DeleteDocumentOutput, error) {
			return nil, regionOf(w, c).DeleteDocument(deref(in.Name))
		})
}

func (s scalingService) create(
	call api.Call, in *as.CreateAutoScalingGroupInput,
) (*as.CreateAutoScalingGroupOutput, error) {
	region := regionOf(s.w, call)
	if in.MinSize == nil || in.MaxSize == nil {
		return nil, missing("minSize or maxSize")
	}
	var overrides []world.Override
	named := in.LaunchTemplate
	if in.MixedInstancesPolicy != nil {
		var err error
		if overrides, named, err = mixed(in.MixedInstancesPolicy); err != nil {
			return nil, err
		}
	}
	if named == nil || in.LaunchTemplate != nil && overrides != nil {
		return nil, api.Errorf(
			"ValidationError",
			"Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy "+
				"parameter.",
		)
	}
	template, launches, err := s.template(call, named)
	if err != nil {
		return nil, err
	}
	_, version, err := template.Version(launches)
	if err != nil {
		return nil, err
	}
	if err := healthCheckType(in.HealthCheckType); err != nil {
		return nil, err
	}
	if err := groupTags(nil, in.Tags); err != nil {
		return nil, err
	}
	zones, err := zonesOf(region, in.AvailabilityZones, in.VPCZoneIdentifier)
	if err != nil {
		return nil, err
	}
	spec := world.GroupSpec{
		Name: deref(in.AutoScalingGroupName), Min: int(*in.MinSize), Max: int(*in.MaxSize), Desired: int(*in.MinSize),
		Zones: zones, Grace: world.Duration(time.Duration(deref(in.HealthCheckGracePeriod)) * time.Second),
		HealthCheckType: deref(in.HealthCheckType), Image: version.Image, Type: version.Type, Mixed: overrides,
	}
	if in.DesiredCapacity != nil {
		spec.Desired = int(*in.DesiredCapacity)
	}
	for _, arn := range in.TargetGroupARNs {
		target, err := region.TargetGroup(arn)
		if err != nil {
			return nil, api.Errorf(
				"ValidationError", "Provided Target Groups may not be valid. Please ensure they exist and try again: %s", arn,
			)
		}
		spec.TargetGroups = append(spec.TargetGroups, target.Name)
	}
	var tags []world.GroupTag
	for _, tag := range in.Tags {
		tags = append(
			tags,
			world.GroupTag{
				Key: deref(tag.Key), Value: deref(tag.Value), Propagate: tag.PropagateAtLaunch == nil || *tag.PropagateAtLaunch,
			},
		)
	}
	group, err := region.CreateScalingGroup(spec, tags)
	if err != nil {
		return nil, err
	}
	group.UseTemplate(template, launches)
	group.BySubnets = deref(in.VPCZoneIdentifier) != ""
	if in.DefaultCooldown != nil {
		group.Cooldown = time.Duration(*in.DefaultCooldown) * time.Second
	}
	return nil, nil
}

func (s balancingService) createGroup(
	call api.Call, in *elb.CreateTargetGroupInput,
) (*elb.CreateTargetGroupOutput, error) {
	region := regionOf(s.w, call)
	switch {
	case in.TargetType != "" && in.TargetType != elbtypes.TargetTypeEnumInstance &&
		in.TargetType != elbtypes.TargetTypeEnumIp:
		return nil, api.NotModelled("target type %s of elasticloadbalancing:CreateTargetGroup", in.TargetType)
	case in.Protocol != elbtypes.ProtocolEnumHttp:
		return nil, api.NotModelled("protocol %q of elasticloadbalancing:CreateTargetGroup", in.Protocol)
	case in.Port == nil:
		return nil, api.Errorf("ValidationError", "A port must be specified")
	case deref(in.VpcId) != region.VPC():
		return nil, api.Errorf("ValidationError", "The VPC ID '%s' is not found", deref(in.VpcId))
	}
	tags, err := balancingTags(in.Tags)
	if err != nil {
		return nil, err
	}
	group, err := region.CreateTargetGroup(world.TargetGroupSpec{
		Name: deref(in.Name), Port: int(*in.Port), TargetType: string(in.TargetType), HealthPath: deref(in.HealthCheckPath),
		HealthInterval:   world.Duration(time.Duration(deref(in.HealthCheckIntervalSeconds)) * time.Second),
		HealthyThreshold: int(deref(in.HealthyThresholdCount)), UnhealthyThreshold: int(deref(in.UnhealthyThresholdCount)),
	})
	if err != nil {
		return nil, err
	}
	maps.Copy(group.Tags, tags)
	made, err := s.describeGroups(call, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{group.ARN}})
	if err != nil {
		return nil, err
	}
	return &elb.CreateTargetGroupOutput{TargetGroups: made.TargetGroups}, nil
}

func (s balancingService) modifyGroup(
	call api.Call, in *elb.ModifyTargetGroupInput,
) (*elb.ModifyTargetGroupOutput, error) {
	group, err := s.group(call, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if in.HealthCheckPath != nil {
		group.HealthPath = *in.HealthCheckPath
	}
	if in.HealthCheckIntervalSeconds != nil {
		group.Interval = time.Duration(*in.HealthCheckIntervalSeconds) * time.Second
	}
	if in.HealthyThresholdCount != nil {
		group.HealthyThreshold = int(*in.HealthyThresholdCount)
	}
	if in.UnhealthyThresholdCount != nil {
		group.UnhealthyThreshold = int(*in.UnhealthyThresholdCount)
	}
	made, err := s.describeGroups(call, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{group.ARN}})
	if err != nil {
		return nil, err
	}
	return &elb.ModifyTargetGroupOutput{TargetGroups: made.TargetGroups}, nil
}

// setFields names the exported fields of a struct that are set, sorted.
func setFields(value any) []string {
	var names []string
	v := reflect.ValueOf(value)
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() && !v.Field(i).IsZero() {
			names = append(names, v.Type().Field(i).Name)
		}
	}
	slices.Sort(names)
	return names
}
