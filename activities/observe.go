package activities

import (
	"context"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// sighting is one look at an instance.
type sighting struct {
	member  patch.Member
	machine ec2types.Instance
	at      time.Time // AWS's clock
}

// see looks at one instance as EC2, its Auto Scaling group and the named target groups show it.
func (s *Services) see(ctx context.Context, in Instance, targetGroups []string) (sighting, error) {
	seen, err := s.seeMachine(ctx, in)
	if err != nil {
		return sighting{}, err
	}
	seen.member.Targets, err = s.seeTargets(ctx, in, seen, targetGroups)
	return seen, err
}

// seeMachine looks at one instance as EC2 and its Auto Scaling group show it. Gone when EC2 no longer has it, or when
// it has left its Auto Scaling group or is leaving it: no wait mends that.
func (s *Services) seeMachine(ctx context.Context, in Instance) (sighting, error) {
	found, err := readMachines(ctx, s, in.String(), []string{in.ID})
	if err != nil {
		return sighting{}, err
	}
	seen := sighting{member: found.member(in.ID), machine: found.instances[in.ID], at: found.at}
	if !seen.member.Present() {
		return sighting{}, final(ErrGone, "%s: EC2 no longer has the instance", in)
	}
	if !in.Group.IsAutoScaling() {
		return seen, nil
	}
	group, err := readGroup(ctx, s, in.Group)
	if err != nil {
		return sighting{}, err
	}
	listed := memberOf(group, in.ID)
	if listed == nil {
		return sighting{}, final(ErrGone, "%s: the instance is no member of its group any more", in)
	}
	if state := string(listed.LifecycleState); leaving(state) {
		return sighting{}, final(ErrGone, "%s: its group is taking the instance out (%s)", in, state)
	}
	seen.member = found.groupMember(in.Group, listed, nil)
	return seen, nil
}
