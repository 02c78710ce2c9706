package aws

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/names"
)

// Execution is what Automation says of one.
type Execution struct {
	id      string
	Status  ssmtypes.AutomationExecutionStatus
	failure string
	steps   []ssmtypes.StepExecution
	started time.Time
	ended   time.Time // zero: not yet, or AWS does not tell
	readAt  time.Time // AWS's clock
}

// FindExecution reads an execution with all of its steps; nil when Automation does not list it yet.
func FindExecution(ctx context.Context, s *Services, where, id string) (*Execution, error) {
	out, err := s.SSM.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: &id})
	if IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Wrap("read the install's execution", where, err)
	}
	if out.AutomationExecution == nil {
		return nil, nil
	}
	got := out.AutomationExecution
	read := &Execution{
		id: id, Status: got.AutomationExecutionStatus, failure: Deref(got.FailureMessage), steps: got.StepExecutions,
		started: Deref(got.ExecutionStartTime), ended: Deref(got.ExecutionEndTime),
	}
	if read.readAt, err = TimeOf(out.ResultMetadata, where); err != nil {
		return nil, err
	}
	if !got.StepExecutionsTruncated {
		return read, nil
	}
	read.steps = nil
	pages := ssm.NewDescribeAutomationStepExecutionsPaginator(
		s.SSM, &ssm.DescribeAutomationStepExecutionsInput{AutomationExecutionId: &id},
	)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("read the install's steps", where, err)
		}
		read.steps = append(read.steps, page.StepExecutions...)
	}
	return read, nil
}

// Over reports whether the execution is terminal.
func (e *Execution) Over() bool { return executionOver(e.Status) }

// executionOver reports whether a status is terminal.
func executionOver(status ssmtypes.AutomationExecutionStatus) bool {
	return slices.Contains([]ssmtypes.AutomationExecutionStatus{
		ssmtypes.AutomationExecutionStatusSuccess, ssmtypes.AutomationExecutionStatusTimedout,
		ssmtypes.AutomationExecutionStatusCancelled, ssmtypes.AutomationExecutionStatusFailed,
		ssmtypes.AutomationExecutionStatusRejected, ssmtypes.AutomationExecutionStatusCompletedWithSuccess,
		ssmtypes.AutomationExecutionStatusCompletedWithFailure, ssmtypes.AutomationExecutionStatusExited,
		ssmtypes.AutomationExecutionStatusChangeCalendarOverrideRejected,
	}, status)
}

// The runbook's steps. installStep is the one that installs and reboots.
const (
	factsBeforeStep = "factsBefore"
	installStep     = "install"
	factsAfterStep  = "factsAfter"
)

// stepWords say of a machine what it is that a step of the runbook waits for, and what it means that the step failed:
// whoever decides in the night knows the machine, and not the runbook.
var stepWords = map[string]struct{ waits, failed string }{
	factsBeforeStep: {
		waits: "it has not told yet what it is before its install", failed: "it did not tell what it is before its install",
	},
	installStep: {waits: "it has not ended its install", failed: "AWS-RunPatchBaseline failed on it"},
	factsAfterStep: {
		waits: "it has not told yet what it is after its install", failed: "it did not tell what it is after its install",
	},
}

// Doing says for people what the machine has not done yet, and which step waits for it.
func (e *Execution) Doing() string {
	for _, step := range e.steps {
		if !executionOver(step.StepStatus) && step.StepStatus != ssmtypes.AutomationExecutionStatusPending {
			return stepWords[Deref(step.StepName)].waits + " (step " + Deref(step.StepName) + ")"
		}
	}
	return "the execution of its install, which is " + string(e.Status)
}

// Slow reports whether the execution began so long ago, and has not succeeded, which takes an answer of the machine
// after its reboot.
func (e *Execution) Slow(since time.Duration) bool {
	return e.Status != ssmtypes.AutomationExecutionStatusSuccess && !e.started.IsZero() && e.readAt.Sub(e.started) >= since
}

// InstallBegan reports whether the step that installs and reboots has begun.
func (e *Execution) InstallBegan() bool {
	return slices.ContainsFunc(e.steps, func(step ssmtypes.StepExecution) bool {
		return Deref(step.StepName) == installStep && step.ExecutionStartTime != nil
	})
}

// commandOf is the id of the command a step ran; "" when the step has not told it.
func (e *Execution) commandOf(name string) string {
	for _, step := range e.steps {
		if Deref(step.StepName) == name {
			if ids := step.Outputs["CommandId"]; len(ids) > 0 {
				return ids[0]
			}
		}
	}
	return ""
}

// commandsKept is how long Run Command lists what was run.
const commandsKept = 30 * 24 * time.Hour

// unsettled reports whether less than that has passed since the execution has ended.
func (e *Execution) unsettled(since time.Duration) bool {
	return e.ended.IsZero() || e.readAt.Sub(e.ended) < since
}

// Unproven says what may still run of an execution that is over; "" when nothing does. A command that is known and not
// listed proves nothing for as long as commands are listed, and one that a step has not told of may not be listed
// before lag has passed. On a machine whose agent is silent a cancelled command counts as ended: AWS promises no end of
// a cancel that no agent answers (API reference of CancelCommand), and what still runs then runs on the root volume
// that is to be replaced.
func (e *Execution) Unproven(commands map[string]*Invocation, lag time.Duration, silent bool) string {
	for _, id := range slices.Sorted(maps.Keys(commands)) {
		switch invocation := commands[id]; {
		case invocation == nil && e.unsettled(commandsKept):
			return "the command " + id + ", which is not listed"
		case silent && invocation != nil && invocation.Status == ssmtypes.CommandInvocationStatusCancelling:
		case invocation != nil && !invocation.Over():
			return "the command " + id + ", which is " + string(invocation.Status)
		}
	}
	for _, step := range e.steps {
		if step.ExecutionStartTime != nil && e.commandOf(Deref(step.StepName)) == "" && e.unsettled(lag) {
			return "the list to show what the step " + Deref(step.StepName) + " has sent"
		}
	}
	return ""
}

// Commands reads every command of the execution. A step tells its command only once it has ended, so that those under
// way are found by their comment, in which the runbook names its execution. Nil for one that Systems Manager does not
// know (yet, or any more).
func (e *Execution) Commands(
	ctx context.Context, s *Services, where, instance string,
) (map[string]*Invocation, error) {
	found := map[string]*Invocation{}
	for _, step := range e.steps {
		if id := e.commandOf(Deref(step.StepName)); id != "" {
			found[id] = nil
		}
	}
	listed, err := FindCommands(ctx, s, where, instance, "patchtide "+e.id)
	if err != nil {
		return nil, err
	}
	for _, command := range listed {
		found[Deref(command.CommandId)] = nil
	}
	if !e.started.IsZero() && e.unsettled(commandsKept) { // beyond it neither list has any
		if listed, err = FindCommandsSince(ctx, s, where, e.started, "patchtide "+e.id); err != nil {
			return nil, err
		}
		for _, command := range listed {
			found[Deref(command.CommandId)] = nil
		}
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if found[id], err = FindInvocation(ctx, s, where, instance, id); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// FindStarted looks up the execution that an attempt started, by its tag key: replies carry no tags, so the token
// stands in the key. The time is AWS's, of the answer. "" when there is none.
func FindStarted(ctx context.Context, s *Services, where, token string) (id string, at time.Time, err error) {
	var first *ssmtypes.AutomationExecutionMetadata
	pages := ssm.NewDescribeAutomationExecutionsPaginator(s.SSM, &ssm.DescribeAutomationExecutionsInput{
		Filters: []ssmtypes.AutomationExecutionFilter{
			{Key: ssmtypes.AutomationExecutionFilterKeyTagKey, Values: []string{names.TagAttempt + token}},
		},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", at, Wrap("look for the install", where, err)
		}
		if at, err = TimeOf(page.ResultMetadata, where); err != nil {
			return "", at, err
		}
		for _, execution := range page.AutomationExecutionMetadataList {
			if first == nil || Deref(execution.ExecutionStartTime).Before(Deref(first.ExecutionStartTime)) {
				first = &execution
			}
		}
	}
	if first == nil {
		return "", at, nil
	}
	return Deref(first.AutomationExecutionId), at, nil
}
