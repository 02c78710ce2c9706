package activities

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/patchtide/patchtide/internal/patch"
)

// MaxInput changes max by one, relative to what was read before.
type MaxInput struct {
	Group     patch.Group
	MaxBefore int // before our raise
}

// RaiseMax raises max by one above MaxBefore, once. A max that somebody else has raised meanwhile is room enough; one that
// somebody has lowered is Rejected (terminal).
func (a *AWS) RaiseMax(ctx context.Context, in MaxInput) error {
	if err := needsGroup(in.Group, "have a max"); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	group, err := readGroup(ctx, s, in.Group)
	if err != nil {
		return err
	}
	switch limit := int(deref(group.MaxSize)); {
	case limit > in.MaxBefore:
		return nil
	case limit < in.MaxBefore:
		return changedMeanwhile(in.Group, "max", limit, in.MaxBefore)
	}
	return s.setMax(ctx, in.Group, in.MaxBefore+1)
}

// LowerMax takes our raise back, unless somebody else has changed max since: then it is left alone. Rejected (terminal)
// while desired is above what max was, since Auto Scaling would terminate an instance of its own choice. A group that is
// gone is no error.
func (a *AWS) LowerMax(ctx context.Context, in MaxInput) error {
	if err := needsGroup(in.Group, "have a max"); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	group, err := findGroup(ctx, s, in.Group)
	if err != nil || group == nil {
		return err
	}
	if int(deref(group.MaxSize)) != in.MaxBefore+1 {
		return nil
	}
	if desired := int(deref(group.DesiredCapacity)); desired > in.MaxBefore {
		return final(ErrRejected, "%s: max stays %d, one above the %d it was, since desired is %d; lower max once desired allows it", in.Group, in.MaxBefore+1, in.MaxBefore, desired)
	}
	return s.setMax(ctx, in.Group, in.MaxBefore)
}

func (s *Services) setMax(ctx context.Context, group patch.Group, limit int) error {
	_, err := s.AutoScaling.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: &group.AutoScalingGroup, MaxSize: ptr(int32(limit)),
	})
	return awsError(fmt.Sprintf("set max to %d", limit), group.String(), err)
}
