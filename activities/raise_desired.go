package activities

import (
	"context"
	"fmt"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// RaiseInput asks for more instances in an Auto Scaling group. The values before were read and journalled by the
// caller; a repeat acts only while desired still is what it was.
type RaiseInput struct {
	Group         patch.Group
	DesiredBefore int
	By            int // so many more
	MaxBefore     int
	RaiseMax      int // by so many; 0: max is high enough
	Pace          Pace
}

// Raised tells what of a raise is not ours, and so is not ours to take back.
type Raised struct {
	MaxTheirs bool // somebody had raised max by then, which is room enough
}

// raised is the effect of RaiseDesired; below, where max is not ours to raise any more, tells the two apart.
func (in RaiseInput) raised() once.Effect {
	return once.DesiredSet(in.Group, in.Pace, in.DesiredBefore, in.DesiredBefore+in.By)
}

func (in RaiseInput) below() once.Effect {
	below := in.raised()
	below.What += " below a max that somebody raised"
	return below
}

// RaiseDesired raises desired, once, and max with it in the same call where that is asked for and max still is
// MaxBefore: nobody can come between. Rejected (terminal) when somebody else has changed desired since it was read,
// also to just the number that we want: that one is theirs. Only after a call of unknown fate is that number
// taken for ours. An error of which NothingDone is true leaves nothing to take back.
func (a *AWS) RaiseDesired(ctx context.Context, in RaiseInput) (_ Raised, err error) {
	defer once.Typed(&err)
	call := once.NewOwnership(ctx)
	raised, err := a.raise(ctx, in, call)
	return raised, call.Told(ctx, err)
}

func (a *AWS) raise(ctx context.Context, in RaiseInput, call *once.Ownership) (Raised, error) {
	if err := aws.RequireGroup(in.Group, "launch more instances"); err != nil {
		return Raised{}, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return Raised{}, err
	}
	switch {
	case in.raised().Taken(ctx):
		return Raised{}, a.waits().See(ctx, s, in.raised())
	case in.below().Taken(ctx):
		return Raised{MaxTheirs: true}, a.waits().See(ctx, s, in.below())
	}
	group, err := aws.ReadGroup(ctx, s, in.Group)
	if err != nil {
		return Raised{}, err
	}
	desired, limit := int(aws.Deref(group.DesiredCapacity)), int(aws.Deref(group.MaxSize))
	switch {
	case desired == in.DesiredBefore+in.By && !call.Unsent:
		return Raised{MaxTheirs: in.RaiseMax > 0 && limit != in.MaxBefore+in.RaiseMax}, nil
	case desired != in.DesiredBefore:
		return Raised{}, aws.ChangedMeanwhile(in.Group, "desired", desired, in.DesiredBefore)
	case in.RaiseMax > 0 && limit == in.MaxBefore:
		return Raised{}, a.waits().Apply(ctx, s, "raise max and desired", in.raised(), call.Sending(ctx, func() error {
			return aws.SetSizes(ctx, s, in.Group, aws.Ptr(int32(in.MaxBefore+in.RaiseMax)),
				aws.Ptr(int32(in.DesiredBefore+in.By)))
		}))
	case desired+in.By > limit:
		return Raised{}, once.Final(
			ErrRejected,
			"%s: desired is %d and max %d, which leaves no room for %d more; raise max, or use capacity: decrement",
			in.Group, desired, limit, in.By,
		)
	}
	theirs, set := in.RaiseMax > 0 && (call.Unsent || limit != in.MaxBefore+in.RaiseMax), in.raised()
	if theirs {
		set = in.below()
	}
	return Raised{MaxTheirs: theirs}, a.waits().Apply(
		ctx, s, fmt.Sprintf("set desired to %d", in.DesiredBefore+in.By), set, call.Sending(ctx, func() error {
			return aws.SetDesired(ctx, s, in.Group, in.DesiredBefore+in.By)
		}))
}
