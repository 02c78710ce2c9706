package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitSurgeInput waits for the instance that a raise launched.
type AwaitSurgeInput struct {
	Group patch.Group
	Known []string // members before the raise
	Pace  Pace
}

// SurgeInstance is the instance that the raise launched.
type SurgeInstance struct {
	ID string
}

// AwaitSurge waits until a member that was not known before is InService and healthy in its target groups. Of several the
// one launched first is ours: others came later, by somebody else's doing.
func (a *AWS) AwaitSurge(ctx context.Context, in AwaitSurgeInput) (_ *SurgeInstance, err error) {
	defer typed(&err)
	if err := needsGroup(in.Group, "launch one more instance"); err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	var surge *SurgeInstance
	err = a.waits().look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		members, attached, err := readNewcomers(ctx, s, in.Group, in.Known)
		if err != nil {
			return false, "", err
		}
		if len(members) == 0 {
			return false, in.Group.String() + ": no instance has been launched for the surge yet", nil
		}
		first := members[0]
		if why := notServing(first, attached); len(why) > 0 {
			return false, fmt.Sprintf("%s/%s, launched for the surge, is not in service yet: %s", in.Group, first.ID, strings.Join(why, "; ")), nil
		}
		surge = &SurgeInstance{ID: first.ID}
		return true, "", nil
	})
	return surge, err
}

// readNewcomers are the members that were not known before and are there to stay, in the order of their launch, with the target
// groups that Auto Scaling registers them in.
func readNewcomers(ctx context.Context, s *aws.Services, group patch.Group, known []string) ([]patch.Member, []string, error) {
	described, err := readGroup(ctx, s, group)
	if err != nil {
		return nil, nil, err
	}
	attached := attachedTo(described)
	ids := slices.DeleteFunc(memberIDs(described), func(id string) bool {
		return slices.Contains(known, id) || leaving(string(findMember(described, id).LifecycleState))
	})
	if len(ids) == 0 {
		return nil, attached, nil
	}
	found, err := readMachines(ctx, s, group.String(), ids)
	if err != nil {
		return nil, nil, err
	}
	registered := map[string][]patch.Target{}
	for _, arn := range attached {
		health, err := readTargetHealth(ctx, s, group.String(), arn)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range ids {
			registered[id] = append(registered[id], targetsOf(arn, found.instances[id], health)...)
		}
	}
	var members []patch.Member
	for _, id := range ids {
		if member := found.groupMember(group, findMember(described, id), registered[id]); member.Present() {
			members = append(members, member)
		}
	}
	slices.SortStableFunc(members, func(a, b patch.Member) int { return a.LaunchTime.Compare(b.LaunchTime) })
	return members, attached, nil
}

// notServing says what keeps a new member from serving: it must be registered in every attached target group, and healthy
// wherever that can be judged.
func notServing(member patch.Member, attached []string) []string {
	var why []string
	if member.Lifecycle != patch.LifecycleInService {
		why = append(why, "it is "+member.Lifecycle)
	}
	if member.State != "running" || !member.StatusOK {
		why = append(why, fmt.Sprintf("EC2 says it is %s, status checks passed: %t", member.State, member.StatusOK))
	}
	for _, arn := range attached {
		at := slices.IndexFunc(member.Targets, func(target patch.Target) bool { return target.TargetGroupARN == arn })
		switch {
		case at < 0:
			why = append(why, "it is not registered in "+arn)
		case member.Targets[at].Judged() && member.Targets[at].Health != patch.TargetHealthy:
			why = append(why, fmt.Sprintf("it is %s in %s", member.Targets[at].Health, arn))
		}
	}
	return why
}
