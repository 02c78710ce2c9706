package aws

import (
	"context"
	"slices"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/facts"
	"github.com/patchtide/patchtide/internal/patch"
)

// Packages are a machine's lists before and after an install, lines "name.arch epoch:version-release"; nil where it has
// not told one.
type Packages struct {
	Before, After []string
}

// Report says what a terminal execution left. It reads what the commands that it tells of have printed.
func (e *Execution) Report(
	ctx context.Context, s *Services, where string, commands map[string]*Invocation,
) (*patch.PatchReport, Packages, error) {
	var packages Packages
	for id, invocation := range commands {
		told := id == e.commandOf(factsBeforeStep) || id == e.commandOf(factsAfterStep)
		if invocation == nil || !told && invocation.Succeeded() {
			continue
		}
		if err := invocation.ReadOutput(ctx, s, where); err != nil {
			return nil, packages, err
		}
	}
	report := &patch.PatchReport{ExecutionID: e.id, Status: string(e.Status), Unbegun: e.unbegun(commands)}
	before, listBefore := e.facts(factsBeforeStep, commands)
	after, listAfter := e.facts(factsAfterStep, commands)
	report.Installing = e.installMayHaveBegun(commands)
	if after == nil && !report.Installing {
		after, listAfter = before, listBefore // nothing of ours ran since
	}
	report.Before, report.After = before, after
	packages = Packages{Before: listBefore, After: listAfter}
	if listBefore != nil && listAfter != nil {
		report.Changes = patch.DiffPackages(listBefore, listAfter)
	}
	if e.Status != ssmtypes.AutomationExecutionStatusSuccess &&
		e.Status != ssmtypes.AutomationExecutionStatusCompletedWithSuccess {
		report.Failure = e.why(commands)
	}
	return report, packages, nil
}

// unbegun reports whether the execution ended while it was queued: no step of it has started, and no command of it is
// known.
func (e *Execution) unbegun(commands map[string]*Invocation) bool {
	return len(commands) == 0 && !slices.ContainsFunc(e.steps, func(step ssmtypes.StepExecution) bool {
		return step.ExecutionStartTime != nil || step.StepStatus == ssmtypes.AutomationExecutionStatusInprogress
	})
}

// installMayHaveBegun reports whether the install may have reached the instance: its step started, or there is a
// command that is no other step's.
func (e *Execution) installMayHaveBegun(commands map[string]*Invocation) bool {
	if e.InstallBegan() {
		return true
	}
	for id := range commands {
		if id != e.commandOf(factsBeforeStep) {
			return true
		}
	}
	return false
}

// facts reads what a facts step printed, from the command itself where it can be had: a step's output is cut shorter.
func (e *Execution) facts(
	step string, commands map[string]*Invocation,
) (*patch.MachineFacts, []string) {
	output := ""
	if invocation := commands[e.commandOf(step)]; invocation != nil && invocation.Succeeded() {
		output = invocation.Stdout
	}
	for _, execution := range e.steps {
		if output == "" && Deref(execution.StepName) == step &&
			execution.StepStatus == ssmtypes.AutomationExecutionStatusSuccess {
			if outputs := execution.Outputs["Output"]; len(outputs) > 0 {
				output = outputs[0]
			}
		}
	}
	if output == "" {
		return nil, nil
	}
	facts, packages, err := facts.Parse(output)
	if err != nil && facts == nil {
		return nil, nil
	}
	return facts, packages
}

// why says which step failed, and its command's own words, which say more than Automation's.
func (e *Execution) why(commands map[string]*Invocation) string {
	for _, step := range e.steps {
		if !executionOver(step.StepStatus) || step.StepStatus == ssmtypes.AutomationExecutionStatusSuccess {
			continue
		}
		name := Deref(step.StepName)
		reason := lastLine(Deref(step.FailureMessage))
		if invocation := commands[e.commandOf(name)]; invocation != nil && !invocation.Succeeded() {
			reason = invocation.DescribeEnd()
		}
		if reason == "" {
			reason = string(step.StepStatus)
		}
		return stepWords[name].failed + " (step " + name + "): " + reason
	}
	if e.failure != "" {
		return lastLine(e.failure)
	}
	return "the execution ended as " + string(e.Status)
}
