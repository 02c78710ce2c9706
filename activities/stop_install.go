package activities

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

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
	return cancelCommands(ctx, s, in.Instance, commands)
}

// cancelCommands cancels every command that is not known to have ended, or to be cancelled.
func cancelCommands(
	ctx context.Context, s *aws.Services, instance Instance, commands map[string]*aws.Invocation,
) error {
	for _, id := range slices.Sorted(maps.Keys(commands)) {
		invocation := commands[id]
		if invocation != nil &&
			(invocation.Over() || invocation.Status == ssmtypes.CommandInvocationStatusCancelling) {
			continue
		}
		_, err := s.SSM.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: &id, InstanceIds: []string{instance.ID}})
		if aws.HasCode(err, aws.CodeAgentNotUsable) { // of an instance that is no more there is nothing to cancel
			_, err = aws.ReadMachine(ctx, s, instance)
			if err == nil {
				err = once.NotReady(0, "%s: Systems Manager takes no cancel for it, and EC2 has the instance", instance)
			}
		}
		if err != nil && !aws.IsNotFound(err) {
			return aws.Wrap("cancel the install's command", instance.String(), err)
		}
	}
	return nil
}
