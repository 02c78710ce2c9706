package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// InspectGroupInput names a group to be read.
type InspectGroupInput struct {
	Group patch.Group
	// Known are instances that were members: that the group does not list one is believed only once it stays so, or once
	// EC2 says that it is terminated.
	Known []string
	// Unseen says that nobody has seen the group yet: see aws.Services. Who has it in a record, or under its lock, has
	// seen it, whatever this worker remembers.
	Unseen bool
	// Targets are the ARNs of the target groups that are known to hold a member, which are looked through beside those
	// that are attached. Nil: every one of the account and region is, once before a group begins; there may be hundreds.
	Targets []string
}

// InspectGroup reads all that decisions need of a group: its numbers, members, processes, target groups (also those
// that are not attached to it, see InspectGroupInput.Targets) and every member's registrations and agent. It changes
// nothing. A group that does not exist is the non-retryable error GroupNotFound; AccessDenied is named and final going
// forward.
func (a *AWS) InspectGroup(ctx context.Context, in InspectGroupInput) (_ *patch.GroupState, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	looks := *s
	looks.Unseen = in.Unseen
	state, err := aws.ReadGroupStateIn(ctx, &looks, in.Group, in.Targets)
	if err != nil {
		return nil, err
	}
	if err := aws.ExpectMembers(ctx, s, in.Group, state.At, in.Known, func(id string) bool {
		_, listed := state.Member(id)
		return listed
	}); err != nil {
		return nil, err
	}
	for i := range state.TargetGroups {
		state.TargetGroups[i].DeregistrationDelay = a.speed().InPlan(state.TargetGroups[i].DeregistrationDelay)
		state.TargetGroups[i].SlowStart = a.speed().InPlan(state.TargetGroups[i].SlowStart)
	}
	return state, nil
}
