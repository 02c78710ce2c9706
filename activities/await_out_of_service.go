package activities

import (
	"context"
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitOutOfServiceInput waits for an instance to be out of service.
type AwaitOutOfServiceInput struct {
	Instance Instance
	Targets  []patch.Target // every registration it had; all must be gone or unused
	Pace     Pace
}

// AwaitOutOfService waits until the instance is Standby (an Auto Scaling member) and drained from every target group.
func (a *AWS) AwaitOutOfService(ctx context.Context, in AwaitOutOfServiceInput) (err error) {
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
				waitingFor = append(waitingFor, "it is "+patch.ToldLifecycle(in.Instance.Group, state))
			}
		}
		states, err := aws.ReadTargetStates(ctx, s, in.Instance, in.Targets)
		if err != nil {
			return false, "", err
		}
		for i, state := range states {
			if !state.Out() {
				waitingFor = append(
					waitingFor,
					fmt.Sprintf(
						"%s port %d is %s in %s", in.Targets[i].ID, in.Targets[i].Port, state.Health, in.Targets[i].Where(),
					),
				)
			}
		}
		return len(waitingFor) == 0, in.Instance.String() + " is not out of service yet: " +
			strings.Join(waitingFor, "; "), nil
	})
}
