package services

import (
	"time"

	as "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func (s scalingService) enterStandby(call api.Call, in *as.EnterStandbyInput) (*as.EnterStandbyOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if in.ShouldDecrementDesiredCapacity == nil {
		return nil, missing("ShouldDecrementDesiredCapacity")
	}
	activities, err := group.EnterStandby(in.InstanceIds, *in.ShouldDecrementDesiredCapacity)
	return &as.EnterStandbyOutput{Activities: activityViews(activities)}, err
}

func missing(parameter string) *api.Error {
	return api.Errorf(
		"ValidationError",
		"1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", parameter,
	)
}

func (s scalingService) exitStandby(call api.Call, in *as.ExitStandbyInput) (*as.ExitStandbyOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	activities, err := group.ExitStandby(in.InstanceIds)
	return &as.ExitStandbyOutput{Activities: activityViews(activities)}, err
}

func (s scalingService) suspend(call api.Call, in *as.SuspendProcessesInput) (*as.SuspendProcessesOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	return nil, group.Suspend(in.ScalingProcesses)
}

func (s scalingService) resume(call api.Call, in *as.ResumeProcessesInput) (*as.ResumeProcessesOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	return nil, group.Resume(in.ScalingProcesses)
}

func (s scalingService) update(
	call api.Call, in *as.UpdateAutoScalingGroupInput,
) (*as.UpdateAutoScalingGroupOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if deref(in.HealthCheckGracePeriod) < 0 || deref(in.DefaultCooldown) < 0 {
		return nil, api.Errorf("ValidationError", "Health check grace period and cooldown must not be negative.")
	}
	if err := healthCheckType(in.HealthCheckType); err != nil {
		return nil, err
	}
	zones, err := zonesOf(group.Region, in.AvailabilityZones, in.VPCZoneIdentifier)
	if err != nil {
		return nil, err
	}
	var template *world.LaunchTemplate
	version := ""
	overrides, named, err := launchesBy(group, in)
	if err != nil {
		return nil, err
	}
	if named != nil {
		if template, version, err = s.template(call, named); err != nil {
			return nil, err
		}
	}
	// The sizes are the last that can be refused: a refused update changes nothing.
	if err := group.Resize(
		world.Sizes{Min: whole(in.MinSize), Max: whole(in.MaxSize), Desired: whole(in.DesiredCapacity)},
	); err != nil {
		return nil, err
	}
	if template != nil {
		group.Mixed = overrides
		group.UseTemplate(template, version)
	}
	if len(zones) > 0 {
		group.MoveTo(zones, deref(in.VPCZoneIdentifier) != "")
	}
	if in.HealthCheckGracePeriod != nil {
		group.Grace = time.Duration(*in.HealthCheckGracePeriod) * time.Second
	}
	if in.DefaultCooldown != nil {
		group.Cooldown = time.Duration(*in.DefaultCooldown) * time.Second
	}
	if in.HealthCheckType != nil {
		group.HealthCheckType = *in.HealthCheckType
	}
	if in.NewInstancesProtectedFromScaleIn != nil {
		group.Protects = *in.NewInstancesProtectedFromScaleIn
	}
	return nil, nil
}

// template finds the launch template that a request names, and its version as the group keeps it.
func (s scalingService) template(
	call api.Call, spec *types.LaunchTemplateSpecification,
) (*world.LaunchTemplate, string, error) {
	template, err := regionOf(s.w, call).LaunchTemplate(deref(spec.LaunchTemplateId) + deref(spec.LaunchTemplateName))
	if err != nil {
		return nil, "", api.Errorf(
			"ValidationError",
			"You must use a valid fully-formed launch template. The specified launch template does not exist.",
		)
	}
	version := deref(spec.Version)
	if version == "" {
		version = "$Default"
	}
	if _, _, err := template.Version(version); err != nil {
		return nil, "", api.Errorf(
			"ValidationError",
			"You must use a valid fully-formed launch template. The specified launch template version %s does not exist.",
			version,
		)
	}
	return template, version, nil
}

func whole(n *int32) *int {
	if n == nil {
		return nil
	}
	return ref(int(*n))
}

func (s scalingService) setDesired(
	call api.Call, in *as.SetDesiredCapacityInput,
) (*as.SetDesiredCapacityOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if in.DesiredCapacity == nil {
		return nil, missing("desiredCapacity")
	}
	if activity := group.Cooling(); deref(in.HonorCooldown) && activity != nil {
		return nil, inProgress(activity)
	}
	return nil, group.SetDesired(int(*in.DesiredCapacity))
}

func inProgress(activity *world.Activity) *api.Error {
	return api.Errorf(
		"ScalingActivityInProgress", "Scaling activity %s is in progress and blocks this action", activity.ID,
	)
}

// member finds an instance in whatever group it is.
func (s scalingService) member(call api.Call, id *string) (*world.Member, error) {
	if member := regionOf(s.w, call).MemberOf(deref(id)); member != nil {
		return member, nil
	}
	return nil, api.Errorf(
		"ValidationError", "Instance Id not found - No managed instance found for instance ID: %s", deref(id),
	)
}

func (s scalingService) setHealth(call api.Call, in *as.SetInstanceHealthInput) (*as.SetInstanceHealthOutput, error) {
	member, err := s.member(call, in.InstanceId)
	if err != nil {
		return nil, err
	}
	status := deref(in.HealthStatus)
	if status != "Healthy" && status != "Unhealthy" {
		return nil, api.Errorf("ValidationError", "Health status %s is not valid: it is Healthy or Unhealthy", status)
	}
	respect := in.ShouldRespectGracePeriod == nil || *in.ShouldRespectGracePeriod
	member.SetHealth(status == "Healthy", respect)
	return nil, nil
}

func (s scalingService) setProtection(
	call api.Call, in *as.SetInstanceProtectionInput,
) (*as.SetInstanceProtectionOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	for _, id := range in.InstanceIds {
		if group.Member(id) == nil {
			return nil, api.Errorf("ValidationError", "The instance %s is not part of Auto Scaling group %s.", id, group.Name)
		}
	}
	for _, id := range in.InstanceIds {
		group.Member(id).Protected = deref(in.ProtectedFromScaleIn)
	}
	return nil, nil
}

func (s scalingService) terminate(
	call api.Call, in *as.TerminateInstanceInAutoScalingGroupInput,
) (*as.TerminateInstanceInAutoScalingGroupOutput, error) {
	member, err := s.member(call, in.InstanceId)
	if err != nil {
		return nil, err
	}
	activity, err := member.Group.TerminateMember(member, deref(in.ShouldDecrementDesiredCapacity))
	if err != nil {
		return nil, err
	}
	return &as.TerminateInstanceInAutoScalingGroupOutput{Activity: ref(activityView(activity))}, nil
}

func (s scalingService) detach(call api.Call, in *as.DetachInstancesInput) (*as.DetachInstancesOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	activities, err := group.Detach(in.InstanceIds, deref(in.ShouldDecrementDesiredCapacity))
	return &as.DetachInstancesOutput{Activities: activityViews(activities)}, err
}

func (s scalingService) attach(call api.Call, in *as.AttachInstancesInput) (*as.AttachInstancesOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	return nil, group.Attach(in.InstanceIds)
}

func (s scalingService) deleteGroup(
	call api.Call, in *as.DeleteAutoScalingGroupInput,
) (*as.DeleteAutoScalingGroupOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if len(group.Members()) > 0 && !deref(in.ForceDelete) {
		return nil, api.Errorf(
			"ResourceInUse",
			"You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in "+
				"the group.",
		)
	}
	return nil, regionOf(s.w, call).DeleteScalingGroup(group.Name)
}

func (s scalingService) tag(call api.Call, in *as.CreateOrUpdateTagsInput) (*as.CreateOrUpdateTagsOutput, error) {
	return nil, s.eachTag(call, in.Tags, func(group *world.ScalingGroup, tag types.Tag) {
		group.Tag(world.GroupTag{Key: deref(tag.Key), Value: deref(tag.Value), Propagate: deref(tag.PropagateAtLaunch)})
	})
}

func (s scalingService) untag(call api.Call, in *as.DeleteTagsInput) (*as.DeleteTagsOutput, error) {
	return nil, s.eachTag(
		call, in.Tags, func(group *world.ScalingGroup, tag types.Tag) { group.Untag(deref(tag.Key), tag.Value) },
	)
}

// eachTag finds every group first, so that a wrong name changes nothing.
func (s scalingService) eachTag(call api.Call, tags []types.Tag, do func(*world.ScalingGroup, types.Tag)) error {
	groups := make([]*world.ScalingGroup, len(tags))
	for n, tag := range tags {
		group, err := s.group(call, tag.ResourceId)
		if err != nil {
			return err
		}
		groups[n] = group
	}
	for _, group := range groups {
		var theirs []types.Tag
		for n, tag := range tags {
			if groups[n] == group {
				theirs = append(theirs, tag)
			}
		}
		if err := groupTags(group.Tags, theirs); err != nil {
			return err
		}
	}
	for n, tag := range tags {
		do(groups[n], tag)
	}
	return nil
}
