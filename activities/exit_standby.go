package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ExitStandbyInput returns an instance to service.
type ExitStandbyInput struct {
	Instance Instance
	Pace     Pace
}

func (in ExitStandbyInput) back() once.Effect {
	return once.LeftState(in.Instance, in.Pace, " on its way back from standby", patch.LifecycleStandby)
}

// ExitStandby first lets the state settle (EnteringStandby is not final: NotReady), then leaves standby; an instance
// that is Pending or InService is done. It never raises max. MaxReached (retryable) when desired = max leaves no room;
// Gone when EC2 no longer has the instance, also when the group still lists it.
func (a *AWS) ExitStandby(ctx context.Context, in ExitStandbyInput) (err error) {
	defer once.Typed(&err)
	if err := aws.RequireGroup(in.Instance.Group, "take an instance back from standby"); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	if in.back().Taken(ctx) {
		return a.waits().See(ctx, s, in.back())
	}
	done, err := a.settled(ctx, s, in)
	if done || err != nil {
		return err
	}
	_, err = s.AutoScaling.ExitStandby(ctx, &autoscaling.ExitStandbyInput{
		AutoScalingGroupName: &in.Instance.Group.AutoScalingGroup, InstanceIds: []string{in.Instance.ID},
	})
	switch {
	case err == nil:
		in.back().Sent(ctx)
		return a.waits().See(ctx, s, in.back())
	case !aws.HasCode(err, aws.CodeValidation):
		return aws.Wrap("exit standby", in.Instance.String(), err)
	}
	// As with EnterStandby: what is seen now tells which of its meanings this ValidationError has.
	if done, lookErr := a.settled(ctx, s, in); done || lookErr != nil {
		return lookErr
	}
	group, lookErr := aws.ReadGroup(ctx, s, in.Instance.Group)
	if lookErr != nil {
		return lookErr
	}
	if slices.Contains(aws.SuspendedIn(group), patch.ProcessLaunch) {
		return temporal.NewApplicationErrorWithCause(
			fmt.Sprintf(
				"exit standby (%s): the process Launch is suspended, so nothing can leave standby; resume it: %v", in.Instance, err,
			),
			ErrRejected, err,
		)
	}
	return aws.InPassing("exit standby", in.Instance.String(), err)
}

// settled waits until the instance is Standby with room to come back (false), or on its way back already (true).
func (a *AWS) settled(ctx context.Context, s *aws.Services, in ExitStandbyInput) (back bool, err error) {
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		group, listed, err := aws.ReadMember(ctx, s, in.Instance)
		if err != nil {
			return false, "", err
		}
		switch state := string(listed.LifecycleState); {
		case state == patch.LifecycleInService || aws.ComingIn(state):
			back = true
			return true, "", nil
		case state == patch.LifecycleStandby:
			desired, limit := int(aws.Deref(group.DesiredCapacity)), int(aws.Deref(group.MaxSize))
			if desired+aws.UnitsOf(group, listed) > limit {
				return false, "", temporal.NewApplicationError(
					fmt.Sprintf(
						"%s: desired is %d and max %d, which leaves no room to come back from standby", in.Instance, desired, limit,
					),
					ErrMaxReached,
				)
			}
			return true, "", nil
		case aws.Leaving(state):
			return false, "", once.Final(ErrGone, "%s: its group is taking the instance out (%s)", in.Instance, state)
		default:
			return false, fmt.Sprintf("%s is %s and must settle before it can leave standby", in.Instance, state), nil
		}
	})
	return back, err
}
