package activities

import (
	"context"
	"time"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// sighting is one look at an instance.
type sighting struct {
	member patch.Member
	at     time.Time // AWS's clock
}

// readSighting looks at one instance as EC2, its Auto Scaling group and the named target groups show it. Gone when EC2 no longer has
// it, or when it has left its Auto Scaling group or is leaving it: no wait mends that.
func readSighting(ctx context.Context, s *aws.Services, in Instance, targetGroups []string) (sighting, error) {
	found, err := readMachines(ctx, s, in.String(), []string{in.ID})
	if err != nil {
		return sighting{}, err
	}
	member := found.member(in.ID)
	if !member.Present() {
		return sighting{}, aws.Final(aws.Gone, "%s: EC2 no longer has the instance", in)
	}
	for _, arn := range targetGroups {
		health, err := readTargetHealth(ctx, s, in.String(), arn)
		if err != nil {
			return sighting{}, err
		}
		member.Targets = append(member.Targets, targetsOf(arn, found.instances[in.ID], health)...)
	}
	sortTargets(member.Targets)
	if !in.Group.IsAutoScaling() {
		return sighting{member: member, at: found.at}, nil
	}
	group, err := readGroup(ctx, s, in.Group)
	if err != nil {
		return sighting{}, err
	}
	listed := findMember(group, in.ID)
	if listed == nil {
		return sighting{}, aws.Final(aws.Gone, "%s: the instance is no member of its group any more", in)
	}
	if state := string(listed.LifecycleState); leaving(state) {
		return sighting{}, aws.Final(aws.Gone, "%s: its group is taking the instance out (%s)", in, state)
	}
	return sighting{member: found.groupMember(in.Group, listed, member.Targets), at: found.at}, nil
}
