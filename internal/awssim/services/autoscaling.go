package services

import (
	"slices"
	"strconv"

	as "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Auto Scaling's page sizes; more than the most is refused by wire.Validate.
var (
	groupsPage     = pageRange{1, 100, 50}
	membersPage    = pageRange{1, 50, 50}
	activitiesPage = pageRange{1, 100, 100}
	targetsPage    = pageRange{1, 100, 100}
)

const badScalingToken = "InvalidNextToken"

type scalingService struct{ w *world.World }

func registerAutoScaling(r *api.Registry, w *world.World) {
	s := scalingService{w}
	const service = "autoscaling"
	registerScalingHooks(r, s)
	registerScalingSchedule(r, s)
	registerScalingPolicies(r, s)
	api.Handle(
		r, service, "DescribeAutoScalingGroups",
		[]string{"AutoScalingGroupNames", "Filters", "IncludeInstances", "MaxRecords", "NextToken"}, s.describeGroups,
	)
	api.Handle(
		r, service, "DescribeAutoScalingInstances", []string{"InstanceIds", "MaxRecords", "NextToken"}, s.describeInstances,
	)
	api.Handle(
		r, service, "DescribeScalingActivities", []string{"ActivityIds", "AutoScalingGroupName", "MaxRecords", "NextToken"},
		s.describeActivities,
	)
	api.Handle(
		r, service, "DescribeInstanceRefreshes",
		[]string{"AutoScalingGroupName", "InstanceRefreshIds", "MaxRecords", "NextToken"}, s.describeRefreshes,
	)
	api.Handle(r, service, "DescribeTags", []string{"Filters", "MaxRecords", "NextToken"}, s.describeTags)
	api.Handle(
		r, service, "EnterStandby", []string{"AutoScalingGroupName", "InstanceIds", "ShouldDecrementDesiredCapacity"},
		s.enterStandby,
	)
	api.Handle(r, service, "ExitStandby", []string{"AutoScalingGroupName", "InstanceIds"}, s.exitStandby)
	api.Handle(r, service, "SuspendProcesses", []string{"AutoScalingGroupName", "ScalingProcesses"}, s.suspend)
	api.Handle(r, service, "ResumeProcesses", []string{"AutoScalingGroupName", "ScalingProcesses"}, s.resume)
	api.Handle(
		r, service, "UpdateAutoScalingGroup",
		[]string{
			"AutoScalingGroupName", "MinSize", "MaxSize", "DesiredCapacity", "HealthCheckGracePeriod", "HealthCheckType",
			"NewInstancesProtectedFromScaleIn", "LaunchTemplate", "DefaultCooldown", "AvailabilityZones", "VPCZoneIdentifier",
			"MixedInstancesPolicy",
		},
		s.update,
	)
	api.Handle(
		r, service, "SetDesiredCapacity", []string{"AutoScalingGroupName", "DesiredCapacity", "HonorCooldown"}, s.setDesired,
	)
	api.Handle(
		r, service, "SetInstanceHealth", []string{"InstanceId", "HealthStatus", "ShouldRespectGracePeriod"}, s.setHealth,
	)
	api.Handle(
		r, service, "SetInstanceProtection", []string{"AutoScalingGroupName", "InstanceIds", "ProtectedFromScaleIn"},
		s.setProtection,
	)
	api.Handle(
		r, service, "TerminateInstanceInAutoScalingGroup", []string{"InstanceId", "ShouldDecrementDesiredCapacity"},
		s.terminate,
	)
	api.Handle(
		r, service, "DetachInstances", []string{"AutoScalingGroupName", "InstanceIds", "ShouldDecrementDesiredCapacity"},
		s.detach,
	)
	api.Handle(r, service, "AttachInstances", []string{"AutoScalingGroupName", "InstanceIds"}, s.attach)
	api.Handle(
		r, service, "StartInstanceRefresh", []string{"AutoScalingGroupName", "Strategy", "Preferences"}, s.startRefresh,
	)
	api.Handle(r, service, "CancelInstanceRefresh", []string{"AutoScalingGroupName"}, s.cancelRefresh)
	api.Handle(r, service, "DeleteAutoScalingGroup", []string{"AutoScalingGroupName", "ForceDelete"}, s.deleteGroup)
	api.Handle(r, service, "CreateOrUpdateTags", []string{"Tags"}, s.tag)
	api.Handle(r, service, "DeleteTags", []string{"Tags"}, s.untag)
}

func (s scalingService) group(call api.Call, name *string) (*world.ScalingGroup, error) {
	return regionOf(s.w, call).ScalingGroup(deref(name))
}

func (s scalingService) describeGroups(
	call api.Call, in *as.DescribeAutoScalingGroupsInput,
) (*as.DescribeAutoScalingGroupsOutput, error) {
	// As many names as records, by the API reference.
	if most := max(50, int(deref(in.MaxRecords))); len(in.AutoScalingGroupNames) > most {
		return nil, tooMany("group names", most)
	}
	var found []*world.ScalingGroup
	for _, group := range regionOf(s.w, call).ScalingGroups() {
		group = group.Seen()
		if len(in.AutoScalingGroupNames) > 0 && !slices.Contains(in.AutoScalingGroupNames, group.Name) {
			continue
		}
		matches, err := groupMatches(group, in.Filters)
		if err != nil {
			return nil, err
		}
		if matches {
			found = append(found, group)
		}
	}
	found, next, err := cutPage(found, in.NextToken, in.MaxRecords, groupsPage, badScalingToken)
	if err != nil {
		return nil, err
	}
	out := &as.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{}, NextToken: next}
	for _, group := range found {
		view := groupView(group)
		if in.IncludeInstances != nil && !*in.IncludeInstances {
			view.Instances = []types.Instance{}
		}
		out.AutoScalingGroups = append(out.AutoScalingGroups, view)
	}
	return out, nil
}

func tooMany(what string, most int) *api.Error {
	return api.Errorf("ValidationError", "The number of %s that may be passed in is limited to %d", what, most)
}

// groupMatches obeys the filters tag-key, tag-value and tag:KEY; all of them must match.
func groupMatches(group *world.ScalingGroup, filters []types.Filter) (bool, error) {
	for _, filter := range filters {
		name := deref(filter.Name)
		key, byKey := cutTag(name)
		if !byKey && name != "tag-key" && name != "tag-value" {
			return false, api.NotModelled("filter %s of autoscaling:DescribeAutoScalingGroups", name)
		}
		if !slices.ContainsFunc(group.Tags, func(tag world.GroupTag) bool {
			switch {
			case byKey:
				return tag.Key == key && slices.Contains(filter.Values, tag.Value)
			case name == "tag-key":
				return slices.Contains(filter.Values, tag.Key)
			}
			return slices.Contains(filter.Values, tag.Value)
		}) {
			return false, nil
		}
	}
	return true, nil
}

func cutTag(filter string) (string, bool) {
	const prefix = "tag:"
	if len(filter) > len(prefix) && filter[:len(prefix)] == prefix {
		return filter[len(prefix):], true
	}
	return "", false
}

func groupView(group *world.ScalingGroup) types.AutoScalingGroup {
	view := types.AutoScalingGroup{
		AutoScalingGroupName: &group.Name, AutoScalingGroupARN: &group.ARN, MinSize: number(group.Min),
		MaxSize:         number(group.Max),
		DesiredCapacity: number(group.Desired), AvailabilityZones: group.Zones, HealthCheckType: &group.HealthCheckType,
		HealthCheckGracePeriod: number(int(group.Grace.Seconds())), DefaultCooldown: number(int(group.Cooldown.Seconds())),
		CreatedTime: moment(group.Created), NewInstancesProtectedFromScaleIn: &group.Protects,
		LaunchTemplate: launchTemplate(group), MixedInstancesPolicy: mixedPolicy(group),
		VPCZoneIdentifier:   subnetsOf(group),
		TerminationPolicies: []string{"Default"}, Instances: []types.Instance{},
		SuspendedProcesses: []types.SuspendedProcess{},
		TargetGroupARNs:    []string{}, Tags: []types.TagDescription{}, LoadBalancerNames: []string{},
	}
	if group.Operator != "" {
		view.Operator = &types.Operator{Principal: ref(group.Operator)}
	}
	if group.DesiredType != "" {
		view.DesiredCapacityType = ref(group.DesiredType)
	}
	if group.MaxLifetime > 0 {
		view.MaxInstanceLifetime = number(int(group.MaxLifetime.Seconds()))
	}
	if view.WarmPoolConfiguration = warmView(group); view.WarmPoolConfiguration != nil {
		view.WarmPoolSize = number(len(group.Warm()))
	}
	for _, target := range group.TargetGroups {
		view.TargetGroupARNs = append(view.TargetGroupARNs, target.ARN)
		view.TrafficSources = append(
			view.TrafficSources, types.TrafficSourceIdentifier{Identifier: &target.ARN, Type: ref("elbv2")},
		)
	}
	for _, member := range group.Members() {
		view.Instances = append(view.Instances, types.Instance{
			InstanceId: &member.Instance.ID, AvailabilityZone: &member.Instance.Zone, HealthStatus: ref(member.HealthStatus()),
			LifecycleState: types.LifecycleState(member.State), ProtectedFromScaleIn: &member.Protected,
			InstanceType: &member.Instance.Type, LaunchTemplate: launchedFrom(member.Instance), WeightedCapacity: weight(member),
		})
	}
	for _, name := range world.Processes {
		if reason, suspended := group.Suspended[name]; suspended {
			view.SuspendedProcesses = append(
				view.SuspendedProcesses, types.SuspendedProcess{ProcessName: &name, SuspensionReason: &reason},
			)
		}
	}
	for _, tag := range group.Tags {
		view.Tags = append(view.Tags, tagView(group, tag))
	}
	return view
}

func launchTemplate(group *world.ScalingGroup) *types.LaunchTemplateSpecification {
	if group.Template == nil || len(group.Mixed) > 0 { // then it stands in the policy
		return nil
	}
	return templateSpec(group)
}

func templateSpec(group *world.ScalingGroup) *types.LaunchTemplateSpecification {
	return &types.LaunchTemplateSpecification{
		LaunchTemplateId: &group.Template.ID, LaunchTemplateName: &group.Template.Name, Version: &group.TemplateVersion,
	}
}

// launchedFrom is the version that an instance was launched from, as a number: another template of its group is for
// later launches.
func launchedFrom(instance *world.Instance) *types.LaunchTemplateSpecification {
	if instance.Template == nil {
		return nil
	}
	return &types.LaunchTemplateSpecification{
		LaunchTemplateId: &instance.Template.ID, LaunchTemplateName: &instance.Template.Name,
		Version: ref(strconv.Itoa(instance.TemplateVersion)),
	}
}

func tagView(group *world.ScalingGroup, tag world.GroupTag) types.TagDescription {
	return types.TagDescription{
		Key: &tag.Key, Value: &tag.Value, PropagateAtLaunch: &tag.Propagate, ResourceId: &group.Name,
		ResourceType: ref("auto-scaling-group"),
	}
}

func (s scalingService) describeInstances(
	call api.Call, in *as.DescribeAutoScalingInstancesInput,
) (*as.DescribeAutoScalingInstancesOutput, error) {
	if len(in.InstanceIds) > membersPage.high {
		return nil, tooMany("instance ids", membersPage.high)
	}
	var found []*world.Member
	for _, group := range regionOf(s.w, call).ScalingGroups() {
		for _, member := range group.Seen().Members() {
			if len(in.InstanceIds) == 0 || slices.Contains(in.InstanceIds, member.Instance.ID) {
				found = append(found, member)
			}
		}
	}
	found, next, err := cutPage(found, in.NextToken, in.MaxRecords, membersPage, badScalingToken)
	if err != nil {
		return nil, err
	}
	out := &as.DescribeAutoScalingInstancesOutput{
		AutoScalingInstances: []types.AutoScalingInstanceDetails{}, NextToken: next,
	}
	for _, member := range found {
		health := "HEALTHY"
		if !member.Healthy {
			health = "UNHEALTHY"
		}
		out.AutoScalingInstances = append(out.AutoScalingInstances, types.AutoScalingInstanceDetails{
			InstanceId: &member.Instance.ID, AutoScalingGroupName: &member.Group.Name, AvailabilityZone: &member.Instance.Zone,
			HealthStatus: &health, LifecycleState: ref(string(member.State)), ProtectedFromScaleIn: &member.Protected,
			InstanceType: &member.Instance.Type, LaunchTemplate: launchedFrom(member.Instance), WeightedCapacity: weight(member),
		})
	}
	return out, nil
}

func (s scalingService) describeTags(call api.Call, in *as.DescribeTagsInput) (*as.DescribeTagsOutput, error) {
	var found []types.TagDescription
	for _, group := range regionOf(s.w, call).ScalingGroups() {
		for _, tag := range group.Tags {
			matches, err := tagMatches(group, tag, in.Filters)
			if err != nil {
				return nil, err
			}
			if matches {
				found = append(found, tagView(group, tag))
			}
		}
	}
	found, next, err := cutPage(found, in.NextToken, in.MaxRecords, groupsPage, badScalingToken)
	return &as.DescribeTagsOutput{Tags: found, NextToken: next}, err
}

func tagMatches(group *world.ScalingGroup, tag world.GroupTag, filters []types.Filter) (bool, error) {
	for _, filter := range filters {
		var value string
		switch name := deref(filter.Name); name {
		case "auto-scaling-group":
			value = group.Name
		case "key":
			value = tag.Key
		case "value":
			value = tag.Value
		default:
			return false, api.NotModelled("filter %s of autoscaling:DescribeTags", name)
		}
		if !slices.Contains(filter.Values, value) {
			return false, nil
		}
	}
	return true, nil
}
