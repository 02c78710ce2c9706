package activities

import (
	"context"
	"fmt"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// AwaitStarted waits until an instance that was started runs, passes EC2's status checks, and has an agent that has
// called Systems Manager since. Gone when EC2 no longer has the instance.
func (a *AWS) AwaitStarted(ctx context.Context, in StartStoppedInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	return a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		found, err := aws.ReadMachines(ctx, s, in.Instance.String(), []string{in.Instance.ID})
		if err != nil {
			return false, "", err
		}
		is := found.Member(in.Instance.ID)
		var why string
		switch {
		case !is.Present():
			return false, "", once.Final(ErrGone, "%s: EC2 no longer has the instance", in.Instance)
		case is.State != "running":
			why = "EC2 says it is " + is.State
			if is.Why != "" {
				why += " (" + is.Why + ")"
			}
		case !is.StatusOK:
			why = "EC2's status checks have not passed"
		case !is.AgentOnline || is.AgentPing.Before(is.LaunchTime):
			why = "its SSM agent is not online"
		}
		return why == "", fmt.Sprintf("%s was started and is not ready: %s", in.Instance, why), nil
	})
}
