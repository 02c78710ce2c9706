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
func stepsOf(document string) []commandStep {
	switch {
	case strings.HasPrefix(document, "AWS-RunPatchBaseline"):
		return []commandStep{
			{name: "PatchWindows", platform: "Windows", windows: true},
			{name: "PatchLinux", platform: "Linux"},
			{name: "PatchMacOS", platform: "MacOS"},
		}
	case document == "AWS-RunPowerShellScript":
		return []commandStep{{name: "aws:runPowerShellScript", windows: true}}
	}
	return []commandStep{{name: "aws:runShellScript"}}
}

// skipped is what the agent says of a step for another platform.
func skipped(platform, step string) string {
	return fmt.Sprintf(
		"Step execution skipped due to unsatisfied preconditions: '\"StringEquals\": [platformType, %s]'. Step name: %s",
		platform, step)
}

// Steps are how the document's steps go. Those for other platforms are passed over with the agent's own words and count
// as successes; until the agent has the command, and where it never had, no step has begun.
func (v *Invocation) Steps() []CommandStep {
	var steps []CommandStep
	for n, of := range v.Command.content.steps {
		step := CommandStep{Name: of.name, Status: "Pending", Details: "Pending", Code: -1}
		switch {
		case v.Started.IsZero():
			if v.Done() {
				step.Status, step.Details = v.Status, v.Details
			}
		case n < len(v.results):
			step = v.results[n]
		case v.Command.content.own && n > len(v.results):
			if v.Done() {
				step.Status, step.Details = v.Status, v.Details
			}
		case of.platform != "" && of.platform != v.platform:
			step.Status, step.Details, step.Code = "Success", "Success", 0
			step.Started, step.Ended = v.Started, v.Started
			step.Stdout = skipped(of.platform, of.name)
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
