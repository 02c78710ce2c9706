package activities

import (
	"context"
	"fmt"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

func (in MaxInput) lowered() once.Effect {
	return once.Shows(
		in.Group, in.Pace, fmt.Sprintf("max as %d again", in.MaxBefore), func(group *astypes.AutoScalingGroup) bool {
			return int(aws.Deref(group.MaxSize)) != in.MaxBefore+in.By
		})
}

// LowerMax takes our raise back, unless somebody else has changed max since: then it is left alone. Rejected (terminal)
// while desired is above what max was, since Auto Scaling would terminate an instance of its own choice. A group that
// is gone is no error.
func (a *AWS) LowerMax(ctx context.Context, in MaxInput) (err error) {
	defer once.Typed(&err)
	if err := aws.RequireGroup(in.Group, "have a max"); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	if in.lowered().Taken(ctx) {
		return a.waits().See(ctx, s, in.lowered())
	}
	group, err := aws.FindGroup(ctx, s, in.Group)
	if err != nil || group == nil {
		return err
	}
	if int(aws.Deref(group.MaxSize)) != in.MaxBefore+in.By {
		return nil
	}
	if desired := int(aws.Deref(group.DesiredCapacity)); desired > in.MaxBefore {
		return once.Final(
			ErrRejected, "%s: max stays %d, above the %d it was, since desired is %d; lower max once desired allows it",
			in.Group, in.MaxBefore+in.By, in.MaxBefore, desired,
		)
	}
	return a.waits().Apply(ctx, s, fmt.Sprintf("set max to %d", in.MaxBefore), in.lowered(), func() error {
		return aws.SetSizes(ctx, s, in.Group, aws.Ptr(int32(in.MaxBefore)), nil)
	})
}
