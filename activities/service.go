package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitOutInput waits for an instance to be out of service.
type AwaitOutInput struct {
	Instance Instance
	Targets  []patch.Target // every registration it had; all must be gone or unused
	Pace     Pace
}

// AwaitOut waits until the instance is Standby (an Auto Scaling member) and drained from every target group.
func (a *AWS) AwaitOut(ctx context.Context, in AwaitOutInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	return a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		var waitingFor []string
		if in.Instance.Group.IsAutoScaling() {
			_, listed, err := aws.ReadMember(ctx, s, in.Instance)
			if err != nil {
				return false, "", err
			}
			if state := string(listed.LifecycleState); aws.Leaving(state) {
				return false, "", once.Final(ErrGone, "%s: its group is taking the instance out (%s)", in.Instance, state)
			} else if state != patch.LifecycleStandby {
				waitingFor = append(waitingFor, "it is "+state)
			}
		}
		states, err := aws.ReadTargetStates(ctx, s, in.Instance, in.Targets)
		if err != nil {
			return false, "", err
		}
		for i, state := range states {
			if !state.Out() {
				waitingFor = append(waitingFor, fmt.Sprintf("%s port %d is %s in %s", in.Targets[i].ID, in.Targets[i].Port, state.Health, in.Targets[i].TargetGroupARN))
			}
		}
		return len(waitingFor) == 0, in.Instance.String() + " is not out of service yet: " + strings.Join(waitingFor, "; "), nil
	})
}

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
	return changeTargets(ctx, s, in, aws.TargetState.Registered, func(arn string, targets []elbtypes.TargetDescription) error {
		for i := range targets {
			targets[i].AvailabilityZone = nil // belongs to registering only
		}
		_, err := s.ELB.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &arn, Targets: targets})
		if aws.IsNotFound(err) || aws.HasCode(err, aws.CodeNotRegistered) {
			return nil
		}
		return aws.Wrap("deregister from "+arn, in.Instance.String(), err)
	})
}

// RegisterTargets makes the exact registrations again; those that stand are done. Gone when a target group no longer exists.
func (a *AWS) RegisterTargets(ctx context.Context, in TargetsInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	missing := func(state aws.TargetState) bool { return !state.Registered() }
	return changeTargets(ctx, s, in, missing, func(arn string, targets []elbtypes.TargetDescription) error {
		_, err := s.ELB.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: &arn, Targets: targets})
		if aws.IsNotFound(err) {
			return once.Final(ErrGone, "%s: the target group %s no longer exists, so the instance cannot be registered in it again", in.Instance, arn)
		}
		return aws.Wrap("register in "+arn, in.Instance.String(), err)
	})
}

// changeTargets reads the registrations and calls change once for each target group with those that need it.
func changeTargets(ctx context.Context, s *aws.Services, in TargetsInput, needed func(aws.TargetState) bool, change func(arn string, targets []elbtypes.TargetDescription) error) error {
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
	return description
}

// AwaitInInput waits for an instance to be back.
type AwaitInInput struct {
	Instance Instance
	Before   []patch.Target // as read before it went out
	Pace     Pace
}

// Returned tells when the instance was seen in service, by AWS's clock.
type Returned struct {
	Member patch.Member
	At     time.Time
}

// AwaitIn waits until the instance is InService (an Auto Scaling member) and healthy in every target group it was healthy in
// before. Gone when it is no longer there.
func (a *AWS) AwaitIn(ctx context.Context, in AwaitInInput) (_ *Returned, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	var returned *Returned
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		seen, err := aws.ReadSighting(ctx, s, in.Instance, targetGroupsOf(in.Before))
		if err != nil {
			return false, "", err
		}
		if why := notBack(in.Instance.Group, seen.Member, in.Before); len(why) > 0 {
			return false, in.Instance.String() + " is not back in service yet: " + strings.Join(why, "; "), nil
		}
		returned = &Returned{Member: seen.Member, At: seen.At}
		return true, "", nil
	})
	return returned, err
}

// notBack says what is missing until the member serves as it did before.
func notBack(group patch.Group, now patch.Member, before []patch.Target) []string {
	var why []string
	if now.State != "running" {
		why = append(why, "EC2 says it is "+now.State)
	}
	if group.IsAutoScaling() && now.Lifecycle != patch.LifecycleInService {
		why = append(why, "it is "+now.Lifecycle)
	}
	for _, was := range before {
		if was.Health != patch.TargetHealthy {
			continue
		}
		at := slices.IndexFunc(now.Targets, func(is patch.Target) bool {
			return is.TargetGroupARN == was.TargetGroupARN && is.ID == was.ID && is.Port == was.Port
		})
		switch {
		case at < 0:
			why = append(why, "it is not registered in "+was.TargetGroupARN)
		case now.Targets[at].Health != patch.TargetHealthy:
			why = append(why, fmt.Sprintf("it is %s in %s (%s)", now.Targets[at].Health, was.TargetGroupARN, now.Targets[at].Reason))
		}
	}
	return why
}

func targetGroupsOf(targets []patch.Target) []string {
	arns := make([]string, len(targets))
	for i, target := range targets {
		arns[i] = target.TargetGroupARN
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}
