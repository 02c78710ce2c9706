package services

import (
	"slices"

	as "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerScalingSchedule(r *api.Registry, s scalingService) {
	const service = "autoscaling"
	api.Handle(r, service, "DescribeScheduledActions", []string{
		"AutoScalingGroupName", "ScheduledActionNames", "StartTime", "EndTime", "MaxRecords", "NextToken",
	}, s.describeScheduledActions)
	api.Handle(r, service, "PutScheduledUpdateGroupAction", []string{
		"AutoScalingGroupName", "ScheduledActionName", "StartTime", "EndTime", "Recurrence", "TimeZone", "MinSize", "MaxSize",
		"DesiredCapacity",
	}, s.schedule)
	api.Handle(r, service, "DeleteScheduledAction", []string{"AutoScalingGroupName", "ScheduledActionName"}, s.unschedule)
	api.Handle(
		r, service, "DescribeWarmPool", []string{"AutoScalingGroupName", "MaxRecords", "NextToken"}, s.describeWarmPool,
	)
	api.Handle(
		r, service, "PutWarmPool", []string{"AutoScalingGroupName", "MinSize", "MaxGroupPreparedCapacity", "PoolState"},
		s.putWarmPool,
	)
	api.Handle(r, service, "DeleteWarmPool", []string{"AutoScalingGroupName", "ForceDelete"}, s.deleteWarmPool)
	api.Handle(
		r, service, "DescribeLoadBalancerTargetGroups", []string{"AutoScalingGroupName", "MaxRecords", "NextToken"},
		s.describeTargetGroups,
	)
	api.Handle(
		r, service, "AttachLoadBalancerTargetGroups", []string{"AutoScalingGroupName", "TargetGroupARNs"},
		s.attachTargetGroups,
	)
	api.Handle(
		r, service, "DetachLoadBalancerTargetGroups", []string{"AutoScalingGroupName", "TargetGroupARNs"},
		s.detachTargetGroups,
	)
}

func (s scalingService) describeScheduledActions(
	call api.Call, in *as.DescribeScheduledActionsInput,
) (*as.DescribeScheduledActionsOutput, error) {
	groups, err := s.groupOrAll(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	found := []types.ScheduledUpdateGroupAction{}
	for _, group := range groups {
		for _, action := range group.ScheduledActions() {
			if len(in.ScheduledActionNames) > 0 {
				if !slices.Contains(in.ScheduledActionNames, action.Name) {
					continue
				}
			} else if in.StartTime != nil && action.Next.Before(*in.StartTime) ||
				in.EndTime != nil && action.Next.After(*in.EndTime) {
				continue // times count only where no names are given
			}
			found = append(found, types.ScheduledUpdateGroupAction{
				AutoScalingGroupName: &group.Name, ScheduledActionName: &action.Name, ScheduledActionARN: &action.ARN,
				StartTime: moment(action.Next), Time: moment(action.Next), EndTime: moment(action.End),
				Recurrence: given(action.Recurrence),
				TimeZone:   given(action.TimeZone), MinSize: narrow(action.Sizes.Min), MaxSize: narrow(action.Sizes.Max),
				DesiredCapacity: narrow(action.Sizes.Desired),
			})
		}
	}
	found, next, err := cutPage(found, in.NextToken, in.MaxRecords, groupsPage, badScalingToken)
	return &as.DescribeScheduledActionsOutput{ScheduledUpdateGroupActions: found, NextToken: next}, err
}

func narrow(n *int) *int32 {
	if n == nil {
		return nil
	}
	return number(*n)
}

func (s scalingService) schedule(
	call api.Call, in *as.PutScheduledUpdateGroupActionInput,
) (*as.PutScheduledUpdateGroupActionOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	return nil, group.PutScheduledAction(deref(in.ScheduledActionName), world.Schedule{
		Start: deref(in.StartTime), End: deref(in.EndTime), Recurrence: deref(in.Recurrence), TimeZone: deref(in.TimeZone),
		Sizes: world.Sizes{Min: whole(in.MinSize), Max: whole(in.MaxSize), Desired: whole(in.DesiredCapacity)},
	})
}

func (s scalingService) unschedule(
	call api.Call, in *as.DeleteScheduledActionInput,
) (*as.DeleteScheduledActionOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	return nil, group.DeleteScheduledAction(deref(in.ScheduledActionName))
}

func (s scalingService) describeWarmPool(
	call api.Call, in *as.DescribeWarmPoolInput,
) (*as.DescribeWarmPoolOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	found, next, err := cutPage(group.Warm(), in.NextToken, in.MaxRecords, membersPage, badScalingToken)
	out := &as.DescribeWarmPoolOutput{
		Instances: []types.Instance{}, NextToken: next, WarmPoolConfiguration: warmView(group),
	}
	for _, instance := range found {
		out.Instances = append(out.Instances, types.Instance{
			InstanceId: &instance.ID, AvailabilityZone: &instance.Zone, HealthStatus: ref("Healthy"),
			InstanceType:   &instance.Type,
			LifecycleState: types.LifecycleState(group.WarmState(instance)), ProtectedFromScaleIn: ref(false),
			LaunchTemplate: launchedFrom(instance),
		})
	}
	return out, err
}

// warmView is the configuration of a group's warm pool, nil without one.
func warmView(group *world.ScalingGroup) *types.WarmPoolConfiguration {
	pool := group.WarmPool()
	if pool == nil {
		return nil
	}
	view := &types.WarmPoolConfiguration{MinSize: number(pool.MinSize), PoolState: types.WarmPoolState(pool.State)}
	if pool.State == "" {
		view.PoolState = types.WarmPoolStateStopped
	}
	if pool.MaxPrepared >= 0 {
		view.MaxGroupPreparedCapacity = number(pool.MaxPrepared)
	}
	return view
}

func (s scalingService) putWarmPool(call api.Call, in *as.PutWarmPoolInput) (*as.PutWarmPoolOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if in.PoolState != "" && !slices.Contains(in.PoolState.Values(), in.PoolState) {
		return nil, api.Errorf("ValidationError", "Warm pool state %q is not Stopped, Running or Hibernated", in.PoolState)
	}
	pool := &world.WarmPool{MinSize: int(deref(in.MinSize)), MaxPrepared: -1, State: string(in.PoolState)}
	if in.MaxGroupPreparedCapacity != nil {
		pool.MaxPrepared = int(*in.MaxGroupPreparedCapacity)
	}
	return nil, group.SetWarmPool(pool)
}

func (s scalingService) deleteWarmPool(call api.Call, in *as.DeleteWarmPoolInput) (*as.DeleteWarmPoolOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if len(group.Warm()) > 0 && !deref(in.ForceDelete) {
		return nil, api.Errorf("ResourceInUse", "The warm pool of Auto Scaling group %s still holds instances.", group.Name)
	}
	return nil, group.SetWarmPool(nil)
}

func (s scalingService) describeTargetGroups(
	call api.Call, in *as.DescribeLoadBalancerTargetGroupsInput,
) (*as.DescribeLoadBalancerTargetGroupsOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	found := []types.LoadBalancerTargetGroupState{}
	for _, target := range group.TargetGroups {
		state := "Added"
		if group.HealthCheckType == "ELB" {
			state = "InService"
		}
		found = append(found, types.LoadBalancerTargetGroupState{LoadBalancerTargetGroupARN: &target.ARN, State: &state})
	}
	found, next, err := cutPage(found, in.NextToken, in.MaxRecords, targetsPage, badScalingToken)
	return &as.DescribeLoadBalancerTargetGroupsOutput{LoadBalancerTargetGroups: found, NextToken: next}, err
}

func (s scalingService) targetGroups(call api.Call, arns []string) ([]*world.TargetGroup, error) {
	var targets []*world.TargetGroup
	for _, arn := range arns {
		target, err := regionOf(s.w, call).TargetGroup(arn)
		if err != nil {
			return nil, api.Errorf(
				"ValidationError", "Provided Target Groups may not be valid. Please ensure they exist and try again.",
			)
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// groupAndTargets finds what target groups are attached to, or detached from, and them.
func (s scalingService) groupAndTargets(
	call api.Call, name *string, arns []string,
) (*world.ScalingGroup, []*world.TargetGroup, error) {
	group, err := s.group(call, name)
	if err != nil {
		return nil, nil, err
	}
	targets, err := s.targetGroups(call, arns)
	return group, targets, err
}

func (s scalingService) attachTargetGroups(
	call api.Call, in *as.AttachLoadBalancerTargetGroupsInput,
) (*as.AttachLoadBalancerTargetGroupsOutput, error) {
	group, targets, err := s.groupAndTargets(call, in.AutoScalingGroupName, in.TargetGroupARNs)
	if err != nil {
		return nil, err
	}
	group.AttachTargetGroups(targets)
	return nil, nil
}

func (s scalingService) detachTargetGroups(
	call api.Call, in *as.DetachLoadBalancerTargetGroupsInput,
) (*as.DetachLoadBalancerTargetGroupsOutput, error) {
	group, targets, err := s.groupAndTargets(call, in.AutoScalingGroupName, in.TargetGroupARNs)
	if err != nil {
		return nil, err
	}
	return nil, group.DetachTargetGroups(targets)
}
