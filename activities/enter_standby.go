package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// EnterStandbyInput takes an instance out of service.
type EnterStandbyInput struct {
	Instance
	Pace Pace
}

func (in EnterStandbyInput) out() once.Effect {
	return once.LeftState(in.Instance, in.Pace, " on its way to standby", patch.LifecycleInService)
}

// EnterStandby takes the instance out of service with decrement. It describes first: an instance that is Standby or
// entering it is done, one on its way into service is waited for (NotReady). NotInService (terminal) when it is in any
// other state; Gone when it is no member any more.
func (a *AWS) EnterStandby(ctx context.Context, input EnterStandbyInput) (err error) {
	defer once.Typed(&err)
	in := input.Instance
	if err := aws.RequireGroup(in.Group, "put an instance on standby"); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	if input.out().Taken(ctx) {
		return a.waits().See(ctx, s, input.out())
	}
	if done, err := onStandby(ctx, s, in); done || err != nil {
		return err
	}
	_, err = s.AutoScaling.EnterStandby(ctx, &autoscaling.EnterStandbyInput{
		AutoScalingGroupName: &in.Group.AutoScalingGroup, InstanceIds: []string{in.ID},
		ShouldDecrementDesiredCapacity: aws.Ptr(true),
	})
	switch {
	case err == nil:
		input.out().Sent(ctx)
		return a.waits().See(ctx, s, input.out())
	case !aws.HasCode(err, aws.CodeValidation):
		return aws.Wrap("enter standby", in.String(), err)
	}
	// Auto Scaling says ValidationError of what is wrong for good, of states in passing, and of a standby that an earlier
	// attempt began whose reply was lost. What is seen now tells which.
	done, lookErr := onStandby(ctx, s, in)
	if done || lookErr != nil {
		return lookErr
	}
	group, lookErr := aws.ReadGroup(ctx, s, in.Group)
	if lookErr != nil {
		return lookErr
	}
	if aws.Deref(group.DesiredCapacity) <= aws.Deref(group.MinSize) {
		return aws.Wrap("enter standby", in.String(), err)
	}
	return aws.InPassing("enter standby", in.String(), err)
}

// onStandby tells whether the instance is Standby or entering it; NotInService when it can not enter.
func onStandby(ctx context.Context, s *aws.Services, in Instance) (bool, error) {
	_, listed, err := aws.ReadMember(ctx, s, in)
	if err != nil {
		return false, err
	}
	switch state := string(listed.LifecycleState); {
	case state == patch.LifecycleStandby || state == patch.LifecycleEnteringStandby:
		return true, nil
	case state == patch.LifecycleInService:
		return false, nil
	case aws.ComingIn(state):
		return false, once.NotReady(0, "%s: the instance is %s and must be InService before it can enter standby", in, state)
	}
	return false, once.Final(
		ErrNotInService, "%s: the instance is %s, and only one that is InService can enter standby", in,
		listed.LifecycleState,
	)
}
