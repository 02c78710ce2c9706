package world

import (
	"fmt"
	"strings"
	"time"
)

// CommandStep is one step of a command document on one instance, which API texts call a plugin.
type CommandStep struct {
	Name    string
	Status  string // Pending, InProgress, Success, Failed, Cancelled, TimedOut
	Details string
	Started time.Time
	Ended   time.Time
	Code    int // -1 until it has ended
	Stdout  string
	Stderr  string
}

// stepsOf are the steps of Amazon's command documents, in their order, with the platform that each is for; "" is any.
func stepsOf(document string) []struct{ name, platform string } {
	switch {
	case strings.HasPrefix(document, "AWS-RunPatchBaseline"):
		return []struct{ name, platform string }{
			{"PatchWindows", "Windows"}, {"PatchLinux", "Linux"}, {"PatchMacOS", "MacOS"},
		}
	case document == "AWS-RunPowerShellScript":
		return []struct{ name, platform string }{{"aws:runPowerShellScript", ""}}
	}
	return []struct{ name, platform string }{{"aws:runShellScript", ""}}
}

// Steps are how the document's steps go. Those for other platforms are passed over with the agent's own words and count
// as successes; until the agent has the command, and where it never had, no step has begun.
func (v *Invocation) Steps() []CommandStep {
	var steps []CommandStep
	for _, of := range stepsOf(v.Command.Document) {
		step := CommandStep{Name: of.name, Status: "Pending", Details: "Pending", Code: -1}
		switch {
		case v.Started.IsZero():
			if v.Done() {
				step.Status, step.Details = v.Status, v.Details
			}
		case of.platform != "" && of.platform != v.platform:
			step.Status, step.Details, step.Code = "Success", "Success", 0
			step.Started, step.Ended = v.Started, v.Started
			step.Stdout = fmt.Sprintf(
				"Step execution skipped due to unsatisfied preconditions: '\"StringEquals\": [platformType, %s]'. Step name: %s",
				of.platform, of.name)
		default:
			step = CommandStep{
				Name: of.name, Status: v.Status, Details: v.Details, Started: v.Started, Ended: v.Ended, Code: v.Code,
				Stdout: v.Stdout, Stderr: v.Stderr,
			}
			if v.Status == "Cancelling" {
				step.Status, step.Details = "InProgress", "InProgress"
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// Step is the step of that name. "" is the only one of a document that has one; a document of several is not guessed.
func (v *Invocation) Step(name string) (CommandStep, bool) {
	steps := v.Steps()
	if name == "" && len(steps) == 1 {
		return steps[0], true
	}
	for _, step := range steps {
		if step.Name == name {
			return step, true
		}
	}
	return CommandStep{}, false
}
