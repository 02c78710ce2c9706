package activities

import (
	"context"
	"maps"
	"slices"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitInstallInput waits for an execution.
type AwaitInstallInput struct {
	Instance  Instance
	Execution Execution
	Pace      Pace
}

// AwaitInstall waits until the execution and its commands are terminal and reports what it left; a failed one is a
// report, not an error. While it is Pending the error's type is InstallPending, else NotReady, so that the caller can
// bound only the time it runs.
func (a *AWS) AwaitInstall(ctx context.Context, in AwaitInstallInput) (_ *patch.PatchReport, err error) {
	defer once.Typed(&err)
	return a.awaitExecution(ctx, in, true)
}

// AwaitStopped waits until the execution and every command of it are terminal, and reports what is known.
func (a *AWS) AwaitStopped(ctx context.Context, in AwaitInstallInput) (_ *patch.PatchReport, err error) {
	defer once.Typed(&err)
	return a.awaitExecution(ctx, in, false)
}

func (a *AWS) awaitExecution(ctx context.Context, in AwaitInstallInput, mayQueue bool) (*patch.PatchReport, error) {
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	where := in.Instance.String()
	var report *patch.PatchReport
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		execution, err := aws.FindExecution(ctx, s, in.Instance.String(), in.Execution.ID)
		if err != nil || execution == nil {
			return false, "the execution to be listed", err
		}
		if !execution.Over() {
			if mayQueue && execution.Status == ssmtypes.AutomationExecutionStatusPending {
				return false, "", once.Waiting(
					ErrInstallPending, in.Pace.Poll.D(), "%s: Automation has queued %s", in.Instance, in.Execution.ID,
				)
			}
			return false, "the install, " + execution.Doing(), nil
		}
		// A step that timed out says nothing about its command, which may still be patching.
		commands, err := execution.Commands(ctx, s, where, in.Instance.ID)
		if err != nil {
			return false, "", err
		}
		for _, id := range slices.Sorted(maps.Keys(commands)) {
			if invocation := commands[id]; invocation != nil && !invocation.Over() {
				return false, "the command " + id + ", which is " + string(invocation.Status), nil
			}
		}
		report, err = execution.Report(ctx, s, where, commands)
		return err == nil, "", err
	})
	return report, err
}
