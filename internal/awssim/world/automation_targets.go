package world

import (
	"fmt"
	"maps"
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Choice is a choice of resources as a request writes it.
type Choice struct {
	Key    string // ParameterValues, tag:KEY, ...
	Values []string
}

// TargetSpec says on what a runbook runs at scale: an execution of its own, a child, for every value.
type TargetSpec struct {
	Parameter string // of the runbook, which takes one value
	Asked     []Choice
	Values    []string // what was asked for, resolved
	Rate      RateControl
}

// usualAtOnce is how many children run at once where a request is silent (API reference of StartAutomationExecution).
// What its MaxErrors is then it does not say: that no error is allowed is unverified.
const usualAtOnce = "10"

// targeted is the part of an execution that runs a runbook on targets.
type targeted struct {
	TargetSpec
	given  map[string][]string // parameters that all children get
	errors int
	ending bool // no further child is started
}

// Targeted is what the execution was asked to run on; nil: it runs its runbook itself.
func (e *Execution) Targeted() *TargetSpec {
	if e.targets == nil {
		return nil
	}
	return &e.targets.TargetSpec
}

// checkTargets refuses targets that the runbook has no parameter for, and binds the other parameters. Whether each
// target fits its parameter is found out when its child starts.
func (b *runbook) checkTargets(spec *TargetSpec, given map[string][]string) (map[string][]string, error) {
	if _, known := b.Parameters[spec.Parameter]; !known {
		return nil, api.Errorf(
			"InvalidAutomationExecutionParametersException", "Parameter %s, of TargetParameterName, is not defined in the "+
				"document.", spec.Parameter,
		)
	}
	if _, twice := given[spec.Parameter]; twice {
		return nil, api.NotModelled("a TargetParameterName that is among the Parameters as well: %s", spec.Parameter)
	}
	rest := *b
	rest.Parameters = maps.Clone(b.Parameters)
	delete(rest.Parameters, spec.Parameter)
	return rest.bind(given)
}

// runOn makes the execution the parent of a child for each target. Its steps are the children, by their targets' names
// (user guide, "Run automations that use targets and rate controls").
func (e *Execution) runOn(spec *TargetSpec, given map[string][]string) {
	run := &targeted{TargetSpec: *spec, given: map[string][]string{}}
	maps.Copy(run.given, given)
	if run.Rate.MaxConcurrency == "" {
		run.Rate.MaxConcurrency = usualAtOnce
	}
	run.Rate = run.Rate.orDefault()
	e.targets = run
	for _, value := range spec.Values {
		e.Steps = append(e.Steps, &StepExecution{
			ID: e.Region.NewUUID("step"), Step: value, Action: "aws:executeAutomation", Status: "Pending", Attempts: 1,
			OnFail: "Continue", Inputs: map[string]string{spec.Parameter: value}, Outputs: map[string][]string{},
		})
	}
	e.set("InProgress")
	e.Region.World.After(automationBegins, e.nextTargets)
}

// nextTargets starts as many children as may run at once. Above MaxErrors none is started any more, and those that run
// may end (API reference of StartAutomationExecution, MaxErrors). The execution ends when all children have: as Failed
// where one failed, whatever MaxErrors is.
func (e *Execution) nextTargets() {
	if e.Done() {
		return
	}
	run, now := e.targets, e.Region.World.now
	running := 0
	for _, step := range e.Steps {
		if step.Status == "InProgress" {
			running++
		}
	}
	most := max(of(run.Rate.MaxConcurrency, len(e.Steps)), 1)
	for _, step := range e.Steps {
		switch {
		case step.Status != "Pending":
		case run.ending || run.errors > of(run.Rate.MaxErrors, len(e.Steps)):
			step.Status, step.Started, step.Ended, step.Failure = "Cancelled", now, now, "Step was cancelled."
		case running < most && e.startTarget(step):
			running++
		}
	}
	if slices.ContainsFunc(e.Steps, func(s *StepExecution) bool { return s.Ended.IsZero() }) {
		return
	}
	switch {
	case e.Status == "Cancelling":
		e.set("Cancelled")
	case run.errors > 0:
		e.Failure = fmt.Sprintf("%d of %d child automations failed.", run.errors, len(e.Steps))
		e.set("Failed")
	case len(e.Steps) == 0:
		e.Failure = "No resource matches the targets." // unverified: AWS does not say how this ends
		e.set("Failed")
	default:
		e.set("Success")
	}
}

// startTarget starts a step's child and reports whether it runs.
func (e *Execution) startTarget(step *StepExecution) bool {
	parameters := maps.Clone(e.targets.given)
	parameters[e.targets.Parameter] = []string{step.Step}
	spec := StartSpec{
		Document: e.Document, Version: fmt.Sprint(e.Version), Parameters: parameters, Caller: e.Caller, parent: e,
		target: step.Step,
	}
	step.Started = e.Region.World.now
	err := e.allowed(
		"ssm", "StartAutomationExecution", map[string]any{"DocumentName": e.Document, "Parameters": parameters},
	)
	var child *Execution
	if err == nil {
		child, err = e.Region.StartAutomation(spec)
	}
	if err != nil {
		step.Status, step.Ended, step.Failure = "Failed", e.Region.World.now, err.Error()
		e.targets.errors++
		return false
	}
	step.Status, step.child = "InProgress", child
	child.onEnd = func() {
		ended := childResult(child)
		step.Status, step.Ended, step.Failure = ended.status, e.Region.World.now, ended.failure
		switch child.Status {
		case "Success":
		case "Cancelled":
			step.Status = child.Status
		default:
			e.targets.errors++
		}
		e.nextTargets()
	}
	return true
}

// stopTargets is Stop for an execution on targets: no further child is started, and those that run are stopped too, or
// let end.
func (e *Execution) stopTargets(kind string) {
	e.targets.ending = true
	if kind != "Complete" {
		e.set("Cancelling")
		for _, step := range e.Steps {
			if step.child != nil && !step.child.Done() {
				_ = step.child.Stop(kind) // it runs: nothing refuses
			}
		}
	}
	e.Region.World.After(automationStops, e.nextTargets)
}
