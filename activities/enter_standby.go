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
	// Weight is by how much desired is to go down, which is then looked at; 0: nobody looks.
	Weight int
	Pace   Pace
}

func (in EnterStandbyInput) out() once.Effect {
	return once.LeftState(in.Instance, in.Pace, " on its way to standby", patch.LifecycleInService)
}

// EnterStandby takes the instance out of service with decrement. It describes first: an instance that is Standby or
// entering it is done, one on its way into service is waited for (NotReady). NotInService (terminal) when it is in any
// other state; Gone when it is no member any more; CountedOtherwise (terminal) when it is out and desired went down by
// something else than Weight.
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
		return a.seeOut(ctx, s, input)
	}
	if done, err := onStandby(ctx, s, in); err != nil {
		return err
	} else if done {
		return tookWeight(ctx, s, input)
	}
	_, err = s.AutoScaling.EnterStandby(ctx, &autoscaling.EnterStandbyInput{
		AutoScalingGroupName: &in.Group.AutoScalingGroup, InstanceIds: []string{in.ID},
		ShouldDecrementDesiredCapacity: aws.Ptr(true),
	})
	switch {
	case err == nil:
		input.out().Sent(ctx)
		return a.seeOut(ctx, s, input)
	case !aws.HasCode(err, aws.CodeValidation):
		return aws.Wrap("enter standby", in.String(), err)
	}
	// Auto Scaling says ValidationError of what is wrong for good, of states in passing, and of a standby that an earlier
	// attempt began whose reply was lost. What is seen now tells which.
	done, lookErr := onStandby(ctx, s, in)
	switch {
	case lookErr != nil:
		return lookErr
	case done:
		return tookWeight(ctx, s, input)
	}
	group, lookErr := aws.ReadGroup(ctx, s, in.Group)
	if lookErr != nil {
		return lookErr
	}
	units := 1
	if listed := aws.FindMember(group, in.ID); listed != nil {
		units = aws.UnitsOf(group, listed)
	}
	if int(aws.Deref(group.DesiredCapacity))-units < int(aws.Deref(group.MinSize)) {
		return aws.Wrap("enter standby", in.String(), err)
	}
	return aws.InPassing("enter standby", in.String(), err)
}

// seeOut waits until AWS shows the instance on its way out, and looks at what that took.
func (a *AWS) seeOut(ctx context.Context, s *aws.Services, input EnterStandbyInput) error {
	if err := a.waits().See(ctx, s, input.out()); err != nil {
		return err
	}
	return tookWeight(ctx, s, input)
}

// tookWeight refuses where desired went down by something else than the instance's weight: that it is by the weight AWS
// says nowhere, and room is counted so. Where AWS does not tell of it, it is believed.
func tookWeight(ctx context.Context, s *aws.Services, input EnterStandbyInput) error {
	if input.Weight == 0 {
		return nil
	}
	by, from, err := aws.StandbyTook(ctx, s, input.Instance)
	if err != nil || by == 0 || by == input.Weight {
		return err
	}
	return once.Final(ErrCountedOtherwise, "%s: its standby took desired down from %d to %d, and it weighs %d: AWS "+
		"counts otherwise than Patchtide, which does not go on with this group; patch it by its image",
		input.Instance, from, from-by, input.Weight)
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
