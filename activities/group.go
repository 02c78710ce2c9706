package activities

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// InspectGroupInput names a group to be read.
type InspectGroupInput struct {
	Group patch.Group
}

// InspectGroup reads all that decisions need of a group: its numbers, members, processes, target groups (also those that are
// not attached to it) and every member's registrations and agent. It changes nothing. A group that does not exist is the
// non-retryable error GroupNotFound; AccessDenied is named and final going forward.
func (a *AWS) InspectGroup(ctx context.Context, in InspectGroupInput) (_ *patch.GroupState, err error) {
	defer typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	state, err := readGroupState(ctx, s, in.Group)
	if err != nil {
		return nil, err
	}
	for i := range state.TargetGroups {
		state.TargetGroups[i].DeregistrationDelay = a.speed().inPlan(state.TargetGroups[i].DeregistrationDelay)
		state.TargetGroups[i].SlowStart = a.speed().inPlan(state.TargetGroups[i].SlowStart)
	}
	return state, nil
}

// readGroupState reads a group with its members, their registrations and agents. Intervals are as AWS's clock counts them. A group
// that does not exist is GroupNotFound.
func readGroupState(ctx context.Context, s *aws.Services, group patch.Group) (*patch.GroupState, error) {
	if group.IsAutoScaling() {
		return readScalingState(ctx, s, group)
	}
	return readTaggedState(ctx, s, group)
}

func readTaggedState(ctx context.Context, s *aws.Services, group patch.Group) (*patch.GroupState, error) {
	if len(group.Tags) == 0 {
		return nil, aws.Final(aws.InvalidInput, "%s: the group names neither an Auto Scaling group nor tags; write auto_scaling_group: web or tags: {Role: web}", group)
	}
	found, err := findMachines(ctx, s, group.String(), group.Tags)
	if err != nil {
		return nil, err
	}
	state := &patch.GroupState{FreeTags: true, Operator: operatorOf(nil, found.instances), At: found.at}
	if len(found.instances) == 0 {
		return state, nil
	}
	registered, err := readRegistrations(ctx, s, group.String(), nil, found.instances)
	if err != nil {
		return nil, err
	}
	state.TargetGroups = registered.groups
	for _, id := range slices.Sorted(maps.Keys(found.instances)) {
		member := found.member(id)
		member.Targets = registered.targets[id]
		state.Members = append(state.Members, member)
		if !slices.Contains(state.Zones, member.Zone) {
			state.Zones = append(state.Zones, member.Zone)
		}
	}
	slices.Sort(state.Zones)
	return state, nil
}

func readScalingState(ctx context.Context, s *aws.Services, group patch.Group) (*patch.GroupState, error) {
	described, err := readGroup(ctx, s, group)
	if err != nil {
		return nil, err
	}
	state := &patch.GroupState{
		Min: int(deref(described.MinSize)), Max: int(deref(described.MaxSize)), Desired: int(deref(described.DesiredCapacity)),
		Zones: slices.Sorted(slices.Values(described.AvailabilityZones)), Suspended: suspendedIn(described),
		WarmPool: described.WarmPoolConfiguration != nil, Deleting: deref(described.Status) != "", Weighted: weighted(described),
		MaxInstanceLifetime: patch.Duration(time.Duration(deref(described.MaxInstanceLifetime)) * time.Second),
		FreeTags:            freeTags(groupTagKeys(described), names.TagJournal),
	}
	if state.RefreshRunning, err = refreshing(ctx, s, group); err != nil {
		return nil, err
	}
	if state.LifecycleHooks, err = lifecycleHooks(ctx, s, group); err != nil {
		return nil, err
	}
	found, err := readMachines(ctx, s, group.String(), memberIDs(described))
	if err != nil {
		return nil, err
	}
	state.Operator, state.At = operatorOf(described, found.instances), found.at
	registered, err := readRegistrations(ctx, s, group.String(), attachedTo(described), found.instances)
	if err != nil {
		return nil, err
	}
	state.TargetGroups = registered.groups
	for _, id := range memberIDs(described) {
		state.Members = append(state.Members, found.groupMember(group, findMember(described, id), registered.targets[id]))
	}
	return state, nil
}

// groupMember is one machine with what its Auto Scaling group says of it. A group may list what EC2 no longer has.
func (m machines) groupMember(group patch.Group, listed *astypes.Instance, targets []patch.Target) patch.Member {
	member := m.member(deref(listed.InstanceId))
	member.Lifecycle, member.Health = string(listed.LifecycleState), deref(listed.HealthStatus)
	member.OwnerGroup = group.AutoScalingGroup
	if member.Zone == "" {
		member.Zone = deref(listed.AvailabilityZone)
	}
	member.Targets = targets
	return member
}

// refreshing tells whether an instance refresh may still touch members; one in Baking may yet roll back.
func refreshing(ctx context.Context, s *aws.Services, group patch.Group) (bool, error) {
	out, err := s.AutoScaling.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &group.AutoScalingGroup})
	if err != nil {
		return false, aws.Wrap("describe instance refreshes", group.String(), err)
	}
	// The newest come first and only one can run at a time, so the first page says it.
	return slices.ContainsFunc(out.InstanceRefreshes, func(refresh astypes.InstanceRefresh) bool {
		switch refresh.Status {
		case astypes.InstanceRefreshStatusSuccessful, astypes.InstanceRefreshStatusFailed, astypes.InstanceRefreshStatusCancelled,
			astypes.InstanceRefreshStatusRollbackSuccessful, astypes.InstanceRefreshStatusRollbackFailed:
			return false
		}
		return true
	}), nil
}

func lifecycleHooks(ctx context.Context, s *aws.Services, group patch.Group) ([]string, error) {
	out, err := s.AutoScaling.DescribeLifecycleHooks(ctx, &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: &group.AutoScalingGroup})
	if err != nil {
		return nil, aws.Wrap("describe lifecycle hooks", group.String(), err)
	}
	hooks := make([]string, len(out.LifecycleHooks))
	for i, hook := range out.LifecycleHooks {
		hooks[i] = deref(hook.LifecycleHookName) + " (" + strings.TrimPrefix(deref(hook.LifecycleTransition), "autoscaling:") + ")"
	}
	slices.Sort(hooks)
	return hooks, nil
}
