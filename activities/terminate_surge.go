package activities

import (
	"context"
	"time"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// TerminateSurgeInstanceInput names the surge instance; ID is "" when nobody learnt which ones the raise launched, if
// any.
type TerminateSurgeInstanceInput struct {
	Group         patch.Group
	ID            string
	DesiredBefore int // desired without it
	By            int // so many more does desired stand for: one with an ID
	Pace          Pace
}

// lowered is the effect of taking a raise of desired back where no instance stands for it.
func (in TerminateSurgeInstanceInput) lowered() once.Effect {
	return once.DesiredSet(in.Group, in.Pace, in.DesiredBefore+in.By, in.DesiredBefore)
}

// TerminateSurgeInstance terminates exactly the surge instance with decrement, only if it is still InService or
// Pending. Without an id, or when there is no such instance, it takes desired back, all at once, and only
// when nobody stands for that: Auto Scaling would choose a victim else. Where it cannot tell it is Rejected (terminal),
// for a person to choose. A group that is gone is no error.
func (a *AWS) TerminateSurgeInstance(ctx context.Context, in TerminateSurgeInstanceInput) (err error) {
	defer once.Typed(&err)
	if err := aws.RequireGroup(in.Group, "have a surge instance"); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	if in.lowered().Taken(ctx) {
		return a.waits().See(ctx, s, in.lowered())
	}
	group, at, err := aws.FindGroupAt(ctx, s, in.Group)
	if err != nil || group == nil {
		return err
	}
	surge := Instance{Group: in.Group, ID: in.ID}
	if once.Dropped(surge, in.Pace).Taken(ctx) {
		return a.waits().See(ctx, s, once.Dropped(surge, in.Pace))
	}
	listed := aws.FindMember(group, in.ID)
	if in.ID != "" { // who lowered desired by an answer that lacks it would have Auto Scaling choose a victim
		if err := aws.ExpectMembers(ctx, s, in.Group, at, []string{in.ID}, func(string) bool {
			return listed != nil
		}); err != nil {
			return err
		}
	}
	if listed == nil || aws.Leaving(string(listed.LifecycleState)) {
		return a.lowerDesired(ctx, s, in, group, at)
	}
	machine, err := aws.FindMachine(ctx, s, surge)
	if err != nil {
		return err
	}
	if machine == nil {
		// A member that EC2 has terminated may still be listed: a second terminate would take desired down twice. After
		// one of unknown fate the list, and desired with it, is believed only once the lag is over.
		if err := a.waits().MaySend(ctx, in.Pace, at, "the end of "+surge.String()); err != nil {
			return err
		}
		return a.lowerDesired(ctx, s, in, group, at)
	}
	if state := string(listed.LifecycleState); !aws.Filling(state) {
		return once.Final(
			ErrRejected, "%s: the surge instance is %s; terminate it with decrement once it is in service", surge, state,
		)
	}
	if err := a.waits().MaySend(ctx, in.Pace, at, "the end of "+surge.String()); err != nil {
		return err
	}
	return a.waits().Drop(ctx, s, surge, in.Pace)
}

// lowerDesired takes our raise of desired back where no instance stands for it.
func (a *AWS) lowerDesired(
	ctx context.Context, s *aws.Services, in TerminateSurgeInstanceInput, group *astypes.AutoScalingGroup, at time.Time,
) error {
	switch desired := int(aws.Deref(group.DesiredCapacity)); {
	case desired <= in.DesiredBefore:
		return nil
	case desired != in.DesiredBefore+in.By:
		return aws.ChangedMeanwhile(in.Group, "desired", desired, in.DesiredBefore+in.By)
	}
	counted := 0
	for _, member := range group.Instances {
		if aws.Filling(string(member.LifecycleState)) {
			counted++
		}
	}
	if err := aws.ExpectDesired(s, in.Group, at, in.DesiredBefore+in.By, counted); err != nil {
		return err
	}
	if counted > in.DesiredBefore {
		return once.Final(
			ErrRejected,
			"%s: desired is %d above the %d it was and %d of its instances that are not known stand for that; lowering desired "+
				"would let Auto Scaling choose a victim, so terminate them with decrement yourself",
			in.Group, in.By, in.DesiredBefore, counted-in.DesiredBefore,
		)
	}
	return a.waits().SetDesired(ctx, s, in.DesiredBefore, in.lowered())
}
