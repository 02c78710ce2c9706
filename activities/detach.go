package activities

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// DetachInput quarantines an instance of an Auto Scaling group.
type DetachInput struct {
	Instance      Instance
	DesiredWanted int // desired as it was before the instance went out: the group gets that capacity back
	WaveID        string
	// Decrement takes an instance that is in service out without another being launched in its place. One on standby is
	// not counted in desired either way.
	Decrement bool
	// Weight is how much of the group's numbers the instance is; 0 is 1. What AWS tells of a member goes before.
	Weight int
	Pace   Pace
}

func (in DetachInput) units() int { return max(in.Weight, 1) }

// whole is the effect of giving the group its capacity back.
func (in DetachInput) whole() once.Effect {
	set := once.DesiredSet(in.Instance.Group, in.Pace, in.DesiredWanted-in.units(), in.DesiredWanted)
	set.What, set.Wanted = "one more desired in place of "+in.Instance.ID, in.DesiredWanted
	return set
}

// DetachResult tells what Detach did.
type DetachResult struct {
	// NoRoom: the group's capacity was not given back, since somebody has scaled it to its max meanwhile.
	NoRoom bool
	// Unclear: somebody has changed desired around an earlier attempt, so that nobody can tell whether the capacity was
	// given back.
	Unclear bool
	Desired int // with either, as it is left
}

// Detach takes the instance out of its group for good and gives the group its capacity back, so that it launches
// another. A tag group's instance stays as it is, deregistered. What others set while it was out stands, and one more:
// while no call of ours can have raised desired, the one that it lacks is known. An attempt that finds the instance out
// already raises desired only where it is exactly one short of what is wanted: anything else is somebody else's number.
// A group that is gone is no error.
func (a *AWS) Detach(ctx context.Context, in DetachInput) (_ DetachResult, err error) {
	defer once.Typed(&err)
	if !in.Instance.Group.IsAutoScaling() {
		return DetachResult{}, nil
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return DetachResult{}, err
	}
	out := once.Dropped(in.Instance, in.Pace)
	again := false
	if trace, known := once.LastFootprint(ctx); known && trace.Wanted > 0 {
		in.DesiredWanted, out.Wanted, again = trace.Wanted, trace.Wanted, true
	}
	if in.whole().Taken(ctx) {
		return DetachResult{}, a.waits().See(ctx, s, in.whole())
	}
	group, err := aws.FindGroup(ctx, s, in.Instance.Group)
	if err != nil || group == nil {
		return DetachResult{}, err
	}
	listed, sent, fresh := aws.FindMember(group, in.Instance.ID), out.Taken(ctx), false
	if listed != nil && in.Weight > 0 {
		in.Weight = aws.UnitsOf(group, listed)
	}
	if listed != nil && !aws.Leaving(string(listed.LifecycleState)) && !sent {
		state := string(listed.LifecycleState)
		if strings.HasPrefix(state, "Entering") || aws.ComingIn(state) {
			return DetachResult{}, once.NotReady(0, "%s is %s and must settle before it can be detached", in.Instance, state)
		}
		if state == patch.LifecycleStandby {
			// It is not counted in desired, which stays as it is: the group is one short from now on.
			in.DesiredWanted, fresh = int(aws.Deref(group.DesiredCapacity))+in.units(), true
			out.Wanted = in.DesiredWanted
		}
		decrement := in.Decrement && state == patch.LifecycleInService
		if _, err := s.AutoScaling.DetachInstances(ctx, &autoscaling.DetachInstancesInput{
			AutoScalingGroupName: &in.Instance.Group.AutoScalingGroup, InstanceIds: []string{in.Instance.ID},
			ShouldDecrementDesiredCapacity: &decrement,
		}); err != nil {
			return DetachResult{}, aws.Wrap("detach the instance", in.Instance.String(), err)
		}
		out.Sent(ctx)
		sent = true
	}
	if sent {
		if err := a.waits().See(ctx, s, out); err != nil {
			return DetachResult{}, err
		}
		if group, err = aws.FindGroup(ctx, s, in.Instance.Group); err != nil || group == nil {
			return DetachResult{}, err
		}
		if fresh {
			// what they have set since is theirs: ours has not left yet
			in.DesiredWanted = int(aws.Deref(group.DesiredCapacity)) + in.units()
		}
	}
	result, err := a.giveBack(ctx, s, in, group)
	if err == nil && again && result == (DetachResult{}) && int(aws.Deref(group.DesiredCapacity)) == in.DesiredWanted {
		// It was so before this attempt gave anything back: by an attempt whose reply was lost, or by somebody who scaled
		// out.
		return DetachResult{Unclear: true, Desired: in.DesiredWanted}, nil
	}
	return result, err
}

// giveBack corrects desired where it is exactly the instance short. A group that somebody has scaled to its max has no
// room for one more.
func (a *AWS) giveBack(
	ctx context.Context, s *aws.Services, in DetachInput, group *astypes.AutoScalingGroup,
) (DetachResult, error) {
	switch desired := int(aws.Deref(group.DesiredCapacity)); {
	case desired == in.DesiredWanted:
		return DetachResult{}, nil
	case desired != in.DesiredWanted-in.units():
		return DetachResult{Unclear: true, Desired: desired}, nil
	case in.DesiredWanted > int(aws.Deref(group.MaxSize)):
		return DetachResult{NoRoom: true, Desired: desired}, nil
	}
	return DetachResult{}, a.waits().SetDesired(ctx, s, in.DesiredWanted, in.whole())
}
