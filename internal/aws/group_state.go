package aws

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadGroupState reads a group with its members, their registrations and agents. Intervals are as AWS's clock counts
// them. A group that does not exist is GroupNotFound.
func ReadGroupState(ctx context.Context, s *Services, group patch.Group) (*patch.GroupState, error) {
	return ReadGroupStateIn(ctx, s, group, nil)
}

// ReadGroupStateIn is ReadGroupState that looks for registrations in these target groups and in those attached only;
// nil: in all of them.
func ReadGroupStateIn(
	ctx context.Context, s *Services, group patch.Group, targetGroups []string,
) (*patch.GroupState, error) {
	if group.IsAutoScaling() {
		return readScalingState(ctx, s, group, targetGroups)
	}
	return readTaggedState(ctx, s, group, targetGroups)
}

func readTaggedState(
	ctx context.Context, s *Services, group patch.Group, targetGroups []string,
) (*patch.GroupState, error) {
	if len(group.Tags) == 0 && !group.IsNodes() {
		return nil, Final(
			InvalidInput,
			"%s: the group names neither an Auto Scaling group nor tags; write auto_scaling_group: web, tags: {Role: web}, "+
				"or managed_nodes: {Role: till}",
			group,
		)
	}
	found, err := ReadTagged(ctx, s, group)
	if err != nil {
		return nil, err
	}
	state := &patch.GroupState{
		FreeTags: true, Hidden: found.hidden, At: found.At,
	}
	if len(found.Instances) == 0 {
		return state, nil
	}
	registered, err := readRegistrations(ctx, s, group.String(), nil, targetGroups, found.Instances)
	if err != nil {
		return nil, err
	}
	state.TargetGroups, state.ElsewhereTargets = registered.groups, registered.elsewhere
	state.SharedAddresses = registered.shared
	for _, id := range slices.Sorted(maps.Keys(found.Instances)) {
		member := found.Member(id)
		member.Targets = registered.targets[id]
		member.LeftOut = group.LeavesOut(id, member.Zone, tagsOf(found.Instances[id].Tags))
		member.Starts, member.NotStarted = group.StartsStopped(member, stateCode(found.Instances[id]))
		state.Members = append(state.Members, member)
	}
	return state, nil
}

// stateCode is EC2's code for why an instance is in its state; "" where it tells none.
func stateCode(instance ec2types.Instance) string {
	if instance.StateReason == nil {
		return ""
	}
	return Deref(instance.StateReason.Code)
}

func readScalingState(
	ctx context.Context, s *Services, group patch.Group, targetGroups []string,
) (*patch.GroupState, error) {
	described, at, err := ReadGroupAt(ctx, s, group)
	if err != nil {
		return nil, err
	}
	state := &patch.GroupState{
		At:  at,
		Min: int(Deref(described.MinSize)), Max: int(Deref(described.MaxSize)),
		Desired: int(Deref(described.DesiredCapacity)), Counts: countsOf(described), Suspended: SuspendedIn(described),
		WarmPoolState: warmPoolOf(described), WarmPoolSize: int(Deref(described.WarmPoolSize)),
		Deleting:            Deref(described.Status) != "",
		MaxInstanceLifetime: patch.Duration(time.Duration(Deref(described.MaxInstanceLifetime)) * time.Second),
		FreeTags:            freeTags(groupTagKeys(described), names.TagJournal),
		OtherBalancers:      otherBalancers(described),
	}
	if state.RefreshRunning, err = refreshing(ctx, s, group); err != nil {
		return nil, err
	}
	found, err := ReadMachines(ctx, s, group.String(), MemberIDs(described))
	if err != nil {
		return nil, err
	}
	state.Operator = operatorOf(described, found.Instances)
	registered, err := readRegistrations(
		ctx, s, group.String(), AttachedTo(described), targetGroups, found.Instances,
	)
	if err != nil {
		return nil, err
	}
	state.TargetGroups, state.ElsewhereTargets = registered.groups, registered.elsewhere
	state.SharedAddresses = registered.shared
	away, err := standbyFrom(ctx, s, group, described)
	if err != nil {
		return nil, err
	}
	for _, id := range MemberIDs(described) {
		member := found.GroupMember(group, FindMember(described, id), registered.targets[id])
		member.StandbyFrom = away[id]
		member.LeftOut = group.LeavesOut(id, member.Zone, tagsOf(found.Instances[id].Tags))
		state.Members = append(state.Members, member)
	}
	return state, nil
}

// GroupMember is one machine with what its Auto Scaling group says of it. A group may list what EC2 no longer has.
func (m Machines) GroupMember(group patch.Group, listed *astypes.Instance, targets []patch.Target) patch.Member {
	member := m.Member(Deref(listed.InstanceId))
	member.Lifecycle, member.Health = string(listed.LifecycleState), Deref(listed.HealthStatus)
	member.Weight = weightOf(listed)
	member.OwnerGroup = group.AutoScalingGroup
	if member.Zone == "" {
		member.Zone = Deref(listed.AvailabilityZone)
	}
	member.Targets = targets
	return member
}

// refreshing reports whether an instance refresh may still touch members; one in Baking may yet roll back.
func refreshing(ctx context.Context, s *Services, group patch.Group) (bool, error) {
	out, err := s.AutoScaling.DescribeInstanceRefreshes(
		ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &group.AutoScalingGroup},
	)
	if err != nil {
		return false, Wrap("describe instance refreshes", group.String(), err)
	}
	// The newest come first and only one can run at a time, so the first page says it.
	return slices.ContainsFunc(out.InstanceRefreshes, func(refresh astypes.InstanceRefresh) bool {
		switch refresh.Status {
		case astypes.InstanceRefreshStatusSuccessful, astypes.InstanceRefreshStatusFailed,
			astypes.InstanceRefreshStatusCancelled,
			astypes.InstanceRefreshStatusRollbackSuccessful, astypes.InstanceRefreshStatusRollbackFailed:
			return false
		}
		return true
	}), nil
}

// warmPoolOf is the state in which a group's warm pool keeps its instances; "" where it has none, or is about to.
func warmPoolOf(group *astypes.AutoScalingGroup) string {
	pool := group.WarmPoolConfiguration
	switch {
	case pool == nil || pool.Status == astypes.WarmPoolStatusPendingDelete:
		return ""
	case pool.PoolState == "":
		return string(astypes.WarmPoolStateStopped) // AWS's default
	}
	return string(pool.PoolState)
}

// tagsOf are tags by their keys.
func tagsOf(tags []ec2types.Tag) map[string]string {
	found := make(map[string]string, len(tags))
	for _, tag := range tags {
		found[Deref(tag.Key)] = Deref(tag.Value)
	}
	return found
}
