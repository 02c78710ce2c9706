package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// TerminateReplacementInput names the instance that was launched in a quarantined one's place.
type TerminateReplacementInput struct {
	Instance      Instance
	DesiredBefore int
	Pace          Pace
}

// TerminateReplacement terminates exactly that instance with decrement, once: only while it is InService or Pending and
// desired is what it was. A group or an instance that is gone is no error.
func (a *AWS) TerminateReplacement(ctx context.Context, in TerminateReplacementInput) (err error) {
	defer once.Typed(&err)
	if err := aws.RequireGroup(in.Instance.Group, "let an instance go"); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	group, err := aws.FindGroup(ctx, s, in.Instance.Group)
	if err != nil || group == nil {
		return err
	}
	if gone := once.Dropped(in.Instance, in.Pace); gone.Taken(ctx) {
		return a.waits().See(ctx, s, gone)
	}
	listed := aws.FindMember(group, in.Instance.ID)
	if listed == nil || aws.Leaving(string(listed.LifecycleState)) {
		return nil
	}
	switch desired := int(aws.Deref(group.DesiredCapacity)); {
	case desired == in.DesiredBefore-1:
		// An earlier attempt's terminate, which the list does not show yet.
		return once.NotReady(0, "%s to leave its group", in.Instance)
	case desired != in.DesiredBefore:
		return aws.ChangedMeanwhile(in.Instance.Group, "desired", desired, in.DesiredBefore)
	case !aws.Filling(string(listed.LifecycleState)):
		return once.Final(
			ErrRejected, "%s: the instance is %s and does not make room by going", in.Instance, listed.LifecycleState,
		)
	}
	machine, err := aws.FindMachine(ctx, s, in.Instance)
	if err != nil {
		return err
	}
	if machine == nil {
		return once.NotReady(0, "%s, which EC2 no longer has, to leave its group", in.Instance)
	}
	return a.waits().Drop(ctx, s, in.Instance, in.Pace)
}
