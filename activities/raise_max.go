package activities

import (
	"context"
	"fmt"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// MaxInput changes max, relative to what was read before.
type MaxInput struct {
	Group     patch.Group
	MaxBefore int // before our raise
	By        int // of our raise
	Pace      Pace
}

// raised and lowered are the effects of RaiseMax and LowerMax.
func (in MaxInput) raised() once.Effect {
	return once.Shows(
		in.Group, in.Pace, fmt.Sprintf("max as %d", in.MaxBefore+in.By), func(group *astypes.AutoScalingGroup) bool {
			return int(aws.Deref(group.MaxSize)) != in.MaxBefore
		})
}

// RaiseMax raises max above MaxBefore, once. A max that somebody else has raised meanwhile is room enough, and
// theirs; only after a call of unknown fate is that number taken for ours. One that somebody has lowered is
// Rejected (terminal).
func (a *AWS) RaiseMax(ctx context.Context, in MaxInput) (_ Raised, err error) {
	defer once.Typed(&err)
	call := once.NewOwnership(ctx)
	raised, err := a.raiseMax(ctx, in, call)
	return raised, call.Told(ctx, err)
}

func (a *AWS) raiseMax(ctx context.Context, in MaxInput, call *once.Ownership) (Raised, error) {
	if err := aws.RequireGroup(in.Group, "have a max"); err != nil {
		return Raised{}, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return Raised{}, err
	}
	if in.raised().Taken(ctx) {
		return Raised{}, a.waits().See(ctx, s, in.raised())
	}
	group, err := aws.ReadGroup(ctx, s, in.Group)
	if err != nil {
		return Raised{}, err
	}
	switch limit := int(aws.Deref(group.MaxSize)); {
	case limit > in.MaxBefore:
		return Raised{MaxTheirs: call.Unsent || limit != in.MaxBefore+in.By}, nil
	case limit < in.MaxBefore:
		return Raised{}, aws.ChangedMeanwhile(in.Group, "max", limit, in.MaxBefore)
	}
	return Raised{}, a.waits().Apply(
		ctx, s, fmt.Sprintf("set max to %d", in.MaxBefore+in.By), in.raised(), call.Sending(ctx, func() error {
			return aws.SetSizes(ctx, s, in.Group, aws.Ptr(int32(in.MaxBefore+in.By)), nil)
		}))
}
