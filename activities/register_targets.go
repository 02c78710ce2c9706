package activities

import (
	"context"
	"maps"
	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// TargetsInput names registrations exactly.
type TargetsInput struct {
	Instance Instance
	Targets  []patch.Target
}

// DeregisterTargets takes the exact registrations out (id and port); those already gone are done.
func (a *AWS) DeregisterTargets(ctx context.Context, in TargetsInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	return changeTargets(
		ctx, s, in, aws.TargetState.Registered, func(arn string, targets []elbtypes.TargetDescription) error {
			for i := range targets {
				targets[i].AvailabilityZone, targets[i].QuicServerId = nil, nil // belong to registering only
			}
			_, err := s.ELB.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &arn, Targets: targets})
			if aws.IsNotFound(err) || aws.HasCode(err, aws.CodeNotRegistered) {
				return nil
			}
			return aws.Wrap("deregister from "+arn, in.Instance.String(), err)
		})
}

// RegisterTargets makes the exact registrations again; those that stand are done, and there are none to make in a
// target group that somebody deleted.
func (a *AWS) RegisterTargets(ctx context.Context, in TargetsInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	missing := func(state aws.TargetState) bool { return !state.Registered() && !state.GroupGone }
	return changeTargets(ctx, s, in, missing, func(arn string, targets []elbtypes.TargetDescription) error {
		_, err := s.ELB.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: &arn, Targets: targets})
		if aws.IsNotFound(err) {
			return nil
		}
		return aws.Wrap("register in "+arn, in.Instance.String(), err)
	})
}

// changeTargets reads the registrations and calls change once for each target group with those that need it.
func changeTargets(
	ctx context.Context, s *aws.Services, in TargetsInput, needed func(aws.TargetState) bool,
	change func(arn string, targets []elbtypes.TargetDescription) error,
) error {
	states, err := aws.ReadTargetStates(ctx, s, in.Instance, in.Targets)
	if err != nil {
		return err
	}
	byGroup := map[string][]elbtypes.TargetDescription{}
	for i, target := range in.Targets {
		if needed(states[i]) {
			byGroup[target.TargetGroupARN] = append(byGroup[target.TargetGroupARN], describeTarget(target))
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(byGroup)) {
		if err := change(arn, byGroup[arn]); err != nil {
			return err
		}
	}
	return nil
}

func describeTarget(target patch.Target) elbtypes.TargetDescription {
	description := elbtypes.TargetDescription{Id: &target.ID, Port: aws.Ptr(int32(target.Port))}
	if target.Zone != "" {
		description.AvailabilityZone = &target.Zone
	}
	if target.QUICServerID != "" {
		description.QuicServerId = &target.QUICServerID
	}
	return description
}
