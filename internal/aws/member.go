package aws

import (
	"context"
	"slices"
	"time"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// Sighting is one look at an instance.
type Sighting struct {
	Member  patch.Member
	Serving patch.Serving
	At      time.Time // AWS's clock

	machine ec2types.Instance
	health  map[string][]elbtypes.TargetHealthDescription // of all targets, by their groups
}

// ReadSighting looks at one instance as EC2, its Auto Scaling group, the target groups that it is attached to and those
// named show it. Gone when EC2 no longer has it, or when it has left its Auto Scaling group or is leaving it: no wait
// mends that.
func ReadSighting(ctx context.Context, s *Services, in Instance, targetGroups []string) (Sighting, error) {
	seen, err := readMachineSighting(ctx, s, in)
	if err != nil {
		return Sighting{}, err
	}
	err = seen.readTargets(ctx, s, in, targetGroups)
	return seen, err
}

// readMachineSighting looks at one instance as EC2 and its Auto Scaling group show it. Gone when EC2 no longer has it,
// or when it has left its Auto Scaling group or is leaving it: no wait mends that.
func readMachineSighting(ctx context.Context, s *Services, in Instance) (Sighting, error) {
	found, err := ReadMachines(ctx, s, in.String(), []string{in.ID})
	if err != nil {
		return Sighting{}, err
	}
	seen := Sighting{Member: found.Member(in.ID), At: found.At, machine: found.Instances[in.ID]}
	if !seen.Member.Present() {
		return Sighting{}, gone(in)
	}
	if !in.Group.IsAutoScaling() {
		return seen, nil
	}
	group, listed, err := readMember(ctx, s, in)
	if err != nil {
		return Sighting{}, err
	}
	seen.Serving.Attached = AttachedTo(group)
	if state := string(listed.LifecycleState); Leaving(state) {
		return Sighting{}, Final(Gone, "%s: its group is taking the instance out (%s)", in, state)
	}
	seen.Member = found.GroupMember(in.Group, listed, nil)
	return seen, nil
}

// ReadMember reads an instance as its Auto Scaling group lists it, and the group. Gone when EC2 has not got it any
// more, also while the group still lists it, or when it is no member.
func ReadMember(ctx context.Context, s *Services, in Instance) (*astypes.AutoScalingGroup, *astypes.Instance, error) {
	if _, err := ReadMachine(ctx, s, in); err != nil {
		return nil, nil, err
	}
	return readMember(ctx, s, in)
}

// readMember reads how a group lists an instance that is in EC2. Gone when it is no member.
func readMember(ctx context.Context, s *Services, in Instance) (*astypes.AutoScalingGroup, *astypes.Instance, error) {
	group, at, err := ReadGroupAt(ctx, s, in.Group)
	if err != nil {
		return nil, nil, err
	}
	listed := FindMember(group, in.ID)
	if err := ExpectMembers(
		ctx, s, in.Group, at, []string{in.ID}, func(string) bool { return listed != nil },
	); err != nil {
		return nil, nil, err
	}
	if listed == nil {
		return nil, nil, Final(Gone, "%s: the instance is no member of its group any more", in)
	}
	return group, listed, nil
}

// ReadNewcomers are the members that were not known before and are there to stay, in the order of their launch, with
// the target groups that Auto Scaling registers them in.
func ReadNewcomers(
	ctx context.Context, s *Services, group patch.Group, known []string,
) ([]patch.Member, []string, error) {
	described, err := ReadGroup(ctx, s, group)
	if err != nil {
		return nil, nil, err
	}
	attached := AttachedTo(described)
	ids := slices.DeleteFunc(MemberIDs(described), func(id string) bool {
		return slices.Contains(known, id) || Leaving(string(FindMember(described, id).LifecycleState))
	})
	if len(ids) == 0 {
		return nil, attached, nil
	}
	found, err := ReadMachines(ctx, s, group.String(), ids)
	if err != nil {
		return nil, nil, err
	}
	registered := map[string][]patch.Target{}
	for _, arn := range attached {
		health, _, err := readTargetHealth(ctx, s, group.String(), arn)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range ids {
			registered[id] = append(registered[id], targetsOf(arn, found.Instances[id], health)...)
		}
	}
	var members []patch.Member
	for _, id := range ids {
		if member := found.GroupMember(group, FindMember(described, id), registered[id]); member.Present() {
			members = append(members, member)
		}
	}
	slices.SortStableFunc(members, func(a, b patch.Member) int { return a.LaunchTime.Compare(b.LaunchTime) })
	return members, attached, nil
}
