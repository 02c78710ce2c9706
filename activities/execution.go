package activities

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
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
	defer typed(&err)
	return a.awaitExecution(ctx, in, true)
}

// AwaitStopped waits until the execution and every command of it are terminal, and reports what is known.
func (a *AWS) AwaitStopped(ctx context.Context, in AwaitInstallInput) (_ *patch.PatchReport, err error) {
	defer typed(&err)
	return a.awaitExecution(ctx, in, false)
}

func (a *AWS) awaitExecution(ctx context.Context, in AwaitInstallInput, mayQueue bool) (*patch.PatchReport, error) {
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	where := in.Instance.String()
	var report *patch.PatchReport
	err = a.waits().look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		execution, err := findExecution(ctx, s, in.Instance.String(), in.Execution.ID)
		if err != nil || execution == nil {
			return false, "the execution to be listed", err
		}
		if !execution.over() {
			if mayQueue && execution.status == ssmtypes.AutomationExecutionStatusPending {
				return false, "", waiting(ErrInstallPending, in.Pace.Poll.D(), "%s: Automation has queued %s", in.Instance, in.Execution.ID)
			}
			return false, "the install, " + execution.doing(), nil
		}
		// A step that timed out says nothing about its command, which may still be patching.
		commands, err := execution.commands(ctx, s, where, in.Instance.ID)
		if err != nil {
			return false, "", err
		}
		for _, id := range slices.Sorted(maps.Keys(commands)) {
			if invocation := commands[id]; invocation != nil && !commandOver(invocation.Status) {
				return false, "the command " + id + ", which is " + string(invocation.Status), nil
			}
		}
		report = execution.report(commands)
		return true, "", nil
	})
	return report, err
}

// StopInstall stops the execution if it is not terminal, and cancels its commands. AWS does both in its own time.
func (a *AWS) StopInstall(ctx context.Context, in AwaitInstallInput) (err error) {
	defer typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	where := in.Instance.String()
	execution, err := findExecution(ctx, s, in.Instance.String(), in.Execution.ID)
	if err != nil {
		return err
	}
	if execution == nil {
		return notReady(in.Pace.Poll.D(), "waiting for the execution %s to be listed, to stop it", in.Execution.ID)
	}
	if !execution.over() && execution.status != ssmtypes.AutomationExecutionStatusCancelling {
		_, err := s.SSM.StopAutomationExecution(ctx, &ssm.StopAutomationExecutionInput{
			AutomationExecutionId: &in.Execution.ID, Type: ssmtypes.StopTypeCancel,
		})
		// It may have ended between the look and the call.
		if err != nil && !aws.IsExecutionOver(err) {
			return aws.Wrap("stop the install", where, err)
		}
	}
	commands, err := execution.commands(ctx, s, where, in.Instance.ID)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(commands)) {
		invocation := commands[id]
		if invocation != nil && (commandOver(invocation.Status) || invocation.Status == ssmtypes.CommandInvocationStatusCancelling) {
			continue
		}
		if _, err := s.SSM.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: &id, InstanceIds: []string{in.Instance.ID}}); err != nil && !aws.IsNotFound(err) {
			return aws.Wrap("cancel the install's command", where, err)
		}
	}
	return nil
}

// execution is what Automation says of one.
type execution struct {
	id      string
	status  ssmtypes.AutomationExecutionStatus
	failure string
	steps   []ssmtypes.StepExecution
}

// findExecution reads an execution with all of its steps; nil when Automation does not list it yet.
func findExecution(ctx context.Context, s *aws.Services, where, id string) (*execution, error) {
	out, err := s.SSM.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: &id})
	if aws.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, aws.Wrap("read the install's execution", where, err)
	}
	if out.AutomationExecution == nil {
		return nil, nil
	}
	got := out.AutomationExecution
	read := &execution{id: id, status: got.AutomationExecutionStatus, failure: deref(got.FailureMessage), steps: got.StepExecutions}
	if !got.StepExecutionsTruncated {
		return read, nil
	}
	read.steps = nil
	pages := ssm.NewDescribeAutomationStepExecutionsPaginator(s.SSM, &ssm.DescribeAutomationStepExecutionsInput{AutomationExecutionId: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, aws.Wrap("read the install's steps", where, err)
		}
		read.steps = append(read.steps, page.StepExecutions...)
	}
	return read, nil
}

// over tells whether the execution is terminal.
func (e *execution) over() bool { return executionOver(e.status) }

// executionOver tells whether a status is terminal.
func executionOver(status ssmtypes.AutomationExecutionStatus) bool {
	return slices.Contains([]ssmtypes.AutomationExecutionStatus{
		ssmtypes.AutomationExecutionStatusSuccess, ssmtypes.AutomationExecutionStatusTimedout,
		ssmtypes.AutomationExecutionStatusCancelled, ssmtypes.AutomationExecutionStatusFailed,
		ssmtypes.AutomationExecutionStatusRejected, ssmtypes.AutomationExecutionStatusCompletedWithSuccess,
		ssmtypes.AutomationExecutionStatusCompletedWithFailure, ssmtypes.AutomationExecutionStatusExited,
		ssmtypes.AutomationExecutionStatusChangeCalendarOverrideRejected,
	}, status)
}

// doing names the step under way, for people.
func (e *execution) doing() string {
	for _, step := range e.steps {
		if !executionOver(step.StepStatus) && step.StepStatus != ssmtypes.AutomationExecutionStatusPending {
			return "step " + deref(step.StepName)
		}
	}
	return string(e.status)
}

// commandOf is the id of the command a step ran; "" when the step has not told it.
func (e *execution) commandOf(name string) string {
	for _, step := range e.steps {
		if deref(step.StepName) == name {
			if ids := step.Outputs["CommandId"]; len(ids) > 0 {
				return ids[0]
			}
		}
	}
	return ""
}

// commands reads every command of the execution. A step tells its command only once it has ended, so that those under way
// are found by their comment, in which the runbook names its execution. Nil for one that Systems Manager does not know (yet,
// or any more).
func (e *execution) commands(ctx context.Context, s *aws.Services, where, instance string) (map[string]*ssm.GetCommandInvocationOutput, error) {
	found := map[string]*ssm.GetCommandInvocationOutput{}
	for _, step := range e.steps {
		if id := e.commandOf(deref(step.StepName)); id != "" {
			found[id] = nil
		}
	}
	listed, err := findCommands(ctx, s, where, instance, "patchtide "+e.id)
	if err != nil {
		return nil, err
	}
	for _, command := range listed {
		found[deref(command.CommandId)] = nil
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if found[id], err = findInvocation(ctx, s, where, instance, id); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// report says what a terminal execution left.
func (e *execution) report(commands map[string]*ssm.GetCommandInvocationOutput) *patch.PatchReport {
	report := &patch.PatchReport{ExecutionID: e.id, Status: string(e.status)}
	before, packagesBefore := e.facts("factsBefore", commands)
	after, packagesAfter := e.facts("factsAfter", commands)
	if after == nil && !e.installBegan(commands) {
		after = before // nothing of ours ran since
	}
	report.Before, report.After = before, after
	if packagesBefore != nil && packagesAfter != nil {
		report.Changes = patch.DiffPackages(packagesBefore, packagesAfter)
	}
	if e.status != ssmtypes.AutomationExecutionStatusSuccess && e.status != ssmtypes.AutomationExecutionStatusCompletedWithSuccess {
		report.Failure = e.why(commands)
	}
	return report
}

// installBegan tells whether the install may have reached the instance: its step started, or there is a command that is no
// other step's.
func (e *execution) installBegan(commands map[string]*ssm.GetCommandInvocationOutput) bool {
	for _, step := range e.steps {
		if deref(step.StepName) == "install" && step.ExecutionStartTime != nil {
			return true
		}
	}
	for id := range commands {
		if id != e.commandOf("factsBefore") {
			return true
		}
	}
	return false
}

// facts reads what a facts step printed, from the command itself where it can be had: a step's output is cut shorter.
func (e *execution) facts(step string, commands map[string]*ssm.GetCommandInvocationOutput) (*patch.MachineFacts, []string) {
	output := ""
	if invocation := commands[e.commandOf(step)]; invocation != nil && invocation.Status == ssmtypes.CommandInvocationStatusSuccess {
		output = deref(invocation.StandardOutputContent)
	}
	for _, execution := range e.steps {
		if output == "" && deref(execution.StepName) == step && execution.StepStatus == ssmtypes.AutomationExecutionStatusSuccess {
			if outputs := execution.Outputs["Output"]; len(outputs) > 0 {
				output = outputs[0]
			}
		}
	}
	if output == "" {
		return nil, nil
	}
	facts, packages, err := parseFacts(output)
	if err != nil && facts == nil {
		return nil, nil
	}
	return facts, packages
}

// why names the step that failed and its command's own words, which say more than Automation's.
func (e *execution) why(commands map[string]*ssm.GetCommandInvocationOutput) string {
	for _, step := range e.steps {
		if !executionOver(step.StepStatus) || step.StepStatus == ssmtypes.AutomationExecutionStatusSuccess {
			continue
		}
		name := deref(step.StepName)
		reason := lastLine(deref(step.FailureMessage))
		if invocation := commands[e.commandOf(name)]; invocation != nil && invocation.Status != ssmtypes.CommandInvocationStatusSuccess {
			reason = describeEnd(invocation)
		}
		if reason == "" {
			reason = string(step.StepStatus)
		}
		return "step " + name + ": " + reason
	}
	if e.failure != "" {
		return lastLine(e.failure)
	}
	return "the execution ended as " + string(e.status)
}
