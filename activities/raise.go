package activities

import (
	"context"
	"fmt"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// RaiseInput asks for one more instance in an Auto Scaling group. The values before were read and journalled by the
// caller; a repeat acts only while desired still is what it was.
type RaiseInput struct {
	Group         patch.Group
	DesiredBefore int
	MaxBefore     int
	RaiseMax      bool
	Pace          Pace
}

// Raised tells what of a raise is not ours, and so is not ours to take back.
type Raised struct {
	MaxTheirs bool // somebody had raised max by then, which is room enough
}

// raised is the effect of RaiseDesired; below, where max is not ours to raise any more, tells the two apart.
func (in RaiseInput) raised() effect {
	return desiredSet(in.Group, in.Pace, in.DesiredBefore, in.DesiredBefore+1)
}

func (in RaiseInput) below() effect {
	below := in.raised()
	below.What += " below a max that somebody raised"
	return below
}

func desiredSet(group patch.Group, pace Pace, from, to int) effect {
	return shows(group, pace, fmt.Sprintf("desired as %d", to), func(now *astypes.AutoScalingGroup) bool {
		return int(aws.Deref(now.DesiredCapacity)) != from
	})
}

// RaiseDesired raises desired by one, once, and max with it in the same call where that is asked for and max still is MaxBefore:
// nobody can come between. Rejected (terminal) when somebody else has changed desired since it was read, also to just the
// number that we want: that one is theirs. Only after a call of unknown fate is one more than before taken for ours. An error of
// which NothingDone is true leaves nothing to take back.
func (a *AWS) RaiseDesired(ctx context.Context, in RaiseInput) (_ Raised, err error) {
	defer typed(&err)
	call := newOnlyCall(ctx)
	raised, err := a.raise(ctx, in, call)
	return raised, call.told(ctx, err)
}

func (a *AWS) raise(ctx context.Context, in RaiseInput, call *onlyCall) (Raised, error) {
	if err := aws.RequireGroup(in.Group, "launch one more instance"); err != nil {
		return Raised{}, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return Raised{}, err
	}
	switch {
	case in.raised().taken(ctx):
		return Raised{}, a.waits().see(ctx, s, in.raised())
	case in.below().taken(ctx):
		return Raised{MaxTheirs: true}, a.waits().see(ctx, s, in.below())
	}
	group, err := aws.ReadGroup(ctx, s, in.Group)
	if err != nil {
		return Raised{}, err
	}
	desired, limit := int(aws.Deref(group.DesiredCapacity)), int(aws.Deref(group.MaxSize))
	switch {
	case desired == in.DesiredBefore+1 && !call.Unsent:
		return Raised{MaxTheirs: in.RaiseMax && limit != in.MaxBefore+1}, nil
	case desired != in.DesiredBefore:
		return Raised{}, aws.ChangedMeanwhile(in.Group, "desired", desired, in.DesiredBefore)
	case in.RaiseMax && limit == in.MaxBefore:
		return Raised{}, a.waits().apply(ctx, s, "raise max and desired", in.raised(), call.sending(ctx, func() error {
			return aws.SetSizes(ctx, s, in.Group, aws.Ptr(int32(in.MaxBefore+1)), aws.Ptr(int32(in.DesiredBefore+1)))
		}))
	case desired >= limit:
		return Raised{}, final(ErrRejected, "%s: desired is %d and max %d, which leaves no room for one more instance; raise max, or use capacity: decrement", in.Group, desired, limit)
	}
	theirs, set := in.RaiseMax && (call.Unsent || limit != in.MaxBefore+1), in.raised()
	if theirs {
		set = in.below()
	}
	return Raised{MaxTheirs: theirs}, a.waits().apply(ctx, s, fmt.Sprintf("set desired to %d", in.DesiredBefore+1), set, call.sending(ctx, func() error {
		return aws.SetDesired(ctx, s, in.Group, in.DesiredBefore+1)
	}))
}

// setDesired sets desired and waits until AWS shows it.
func (w waits) setDesired(ctx context.Context, s *aws.Services, desired int, set effect) error {
	return w.apply(ctx, s, fmt.Sprintf("set desired to %d", desired), set, func() error {
		return aws.SetDesired(ctx, s, set.Group, desired)
	})
}
