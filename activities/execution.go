package activities

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
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

// AwaitInstall waits until the execution and its commands are terminal and reports what it left; a failed one is a report,
// not an error. While it is Pending the error's type is InstallPending, else NotReady, so that the caller can bound only the
// time it runs.
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
				return false, "", once.Waiting(ErrInstallPending, in.Pace.Poll.D(), "%s: Automation has queued %s", in.Instance, in.Execution.ID)
			}
			return false, "the install, " + execution.Doing(), nil
		}
		// A step that timed out says nothing about its command, which may still be patching.
		commands, err := execution.Commands(ctx, s, where, in.Instance.ID)
		if err != nil {
			return false, "", err
		}
		for _, id := range slices.Sorted(maps.Keys(commands)) {
			if invocation := commands[id]; invocation != nil && !aws.CommandOver(invocation.Status) {
				return false, "the command " + id + ", which is " + string(invocation.Status), nil
			}
		}
		report = execution.Report(commands)
		return true, "", nil
	})
	return report, err
}

// StopInstall stops the execution if it is not terminal, and cancels its commands. AWS does both in its own time.
func (a *AWS) StopInstall(ctx context.Context, in AwaitInstallInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	where := in.Instance.String()
	execution, err := aws.FindExecution(ctx, s, in.Instance.String(), in.Execution.ID)
	if err != nil {
		return err
	}
	if execution == nil {
		return once.NotReady(in.Pace.Poll.D(), "waiting for the execution %s to be listed, to stop it", in.Execution.ID)
	}
	if !execution.Over() && execution.Status != ssmtypes.AutomationExecutionStatusCancelling {
		_, err := s.SSM.StopAutomationExecution(ctx, &ssm.StopAutomationExecutionInput{
			AutomationExecutionId: &in.Execution.ID, Type: ssmtypes.StopTypeCancel,
		})
		// It may have ended between the look and the call.
		if err != nil && !aws.IsExecutionOver(err) {
			return aws.Wrap("stop the install", where, err)
		}
	}
	commands, err := execution.Commands(ctx, s, where, in.Instance.ID)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(commands)) {
		invocation := commands[id]
		if invocation != nil && (aws.CommandOver(invocation.Status) || invocation.Status == ssmtypes.CommandInvocationStatusCancelling) {
			continue
		}
		if _, err := s.SSM.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: &id, InstanceIds: []string{in.Instance.ID}}); err != nil && !aws.IsNotFound(err) {
			return aws.Wrap("cancel the install's command", where, err)
		}
	}
	return nil
}
