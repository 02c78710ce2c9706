package world

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Limits of Automation in an account and region.
const (
	AutomationAtOnce = 100
	AutomationQueue  = 5000
)

const (
	automationBegins = 500 * time.Millisecond // from the start call until the first step runs
	automationStops  = 3 * time.Second        // from the stop call until the execution is cancelled
	defaultStepLimit = time.Hour              // timeoutSeconds of aws:runCommand where the step is silent
	callersSession   = 12 * time.Hour         // for which an execution without a role of its own may act as its caller
	attemptLimit     = 1000                   // of all steps together, so that a runbook that jumps in circles ends
)

// Execution is one run of an Automation runbook.
type Execution struct {
	Region     *Region
	ID         string
	Document   string
	Version    int
	Status     string // Pending, InProgress, Waiting, Cancelling, Success, Failed, TimedOut, Cancelled
	Failure    string
	Parameters map[string][]string
	Outputs    map[string][]string
	Started    time.Time
	Ended      time.Time
	Caller     string
	Tags       Tags
	Steps      []*StepExecution
	Parent     string // id of the execution that started this one; empty: a person or a program did
	Target     string // what a child of an execution on targets runs on

	book      *runbook
	token     string
	asked     string // what was asked with the token
	current   int    // index of the running step; -1 before the first
	attempt   int
	turn      int  // counts steps and attempts, so that what belongs to an earlier one is ignored
	finishing bool // it was asked to end after the running step
	broken    bool // a critical step failed and went on
	history   []statusAt
	role      string // name of the role it acts as; empty: its caller
	depth     int    // 1 without a parent
	cancelled bool   // it was stopped and now runs what the step it was at names for that
	onEnd     func() // tells its parent
	targets   *targeted
}

type statusAt struct {
	at     time.Time
	status string
}

// StepExecution is one step of an Execution.
type StepExecution struct {
	ID       string
	Step     string
	Action   string
	Status   string
	Failure  string
	Code     string
	Inputs   map[string]string
	Outputs  map[string][]string
	Started  time.Time
	Ended    time.Time
	Timeout  int
	Attempts int
	OnFail   string
	IsEnd    bool
	Critical bool
	NextStep string

	command *Command
	child   *Execution
	waiting *waitingStep
}

type automation struct {
	all shelf[*Execution]
}

var uuidPattern = regexp.MustCompile(`^[a-fA-F0-9]{8}(-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}$`)

// StartSpec says which runbook to run.
type StartSpec struct {
	Document    string
	Version     string
	Parameters  map[string][]string
	ClientToken string
	Tags        Tags
	Caller      string
	Targets     *TargetSpec // nil: the runbook runs once

	parent *Execution
	target string
}

// StartAutomation starts a runbook. The same client token with the same document and parameters returns the first
// execution; with others it is IdempotentParameterMismatch. Above 100 at once an execution stays Pending.
func (r *Region) StartAutomation(spec StartSpec) (*Execution, error) {
	document, ok := r.documents.all.get(spec.Document)
	if !ok || document.Type != "Automation" {
		return nil, api.Errorf(
			"AutomationDefinitionNotFoundException", "Document with name %s does not exist or is no Automation document.",
			spec.Document,
		)
	}
	version, err := document.At(spec.Version)
	if err != nil {
		return nil, api.Errorf(
			"AutomationDefinitionVersionNotFoundException", "Document version %s of document %s does not exist.", spec.Version,
			spec.Document,
		)
	}
	if spec.ClientToken != "" && !uuidPattern.MatchString(spec.ClientToken) {
		return nil, api.Errorf("ValidationException", "ClientToken %q is not a UUID.", spec.ClientToken)
	}
	if len(spec.Tags) > 5 {
		return nil, api.Errorf("ValidationException", "An execution takes at most 5 tags, not %d.", len(spec.Tags))
	}
	bind := version.book.bind
	if spec.Targets != nil {
		bind = func(given map[string][]string) (map[string][]string, error) {
			return version.book.checkTargets(spec.Targets, given)
		}
	}
	parameters, err := bind(spec.Parameters)
	if err != nil {
		return nil, err
	}
	if bucket := parameters["ReportS3Bucket"]; document.Owner == "Amazon" && len(bucket) > 0 && bucket[0] != "" {
		return nil, api.NotModelled("parameter ReportS3Bucket of %s", document.Name)
	}
	role, err := r.assumeRole(version.book, parameters)
	if err != nil {
		return nil, err
	}
	token := strings.ToLower(spec.ClientToken)
	asked := fmt.Sprint(spec.Document, version.Version, parameters)
	if spec.Targets != nil {
		asked += fmt.Sprint(spec.Targets.Parameter, spec.Targets.Asked, spec.Targets.Rate)
	}
	active := 0
	for _, other := range r.automation.all.all() {
		if token != "" && other.token == token {
			if other.asked != asked || r.World.Has(DoubtTokensRefused) {
				return nil, api.Errorf(
					"IdempotentParameterMismatch", "ClientToken %s was used before.",
					spec.ClientToken,
				)
			}
			return other, nil
		}
		if !other.Done() && other.targets == nil {
			active++
		}
	}
	if active >= AutomationAtOnce+AutomationQueue {
		return nil, api.Errorf(
			"AutomationExecutionLimitExceededException",
			"The number of simultaneously running Automation executions exceeded the allowable limit.",
		)
	}
	e := &Execution{
		Region: r, ID: r.NewUUID("automation"), Document: document.Name, Version: version.Version, Parameters: parameters,
		Outputs: map[string][]string{}, Started: r.World.now, Caller: spec.Caller, Tags: spec.Tags.Clone(),
		book: version.book, token: token, asked: asked, current: -1, role: role, depth: 1, Target: spec.target,
	}
	if spec.parent != nil {
		e.Parent, e.depth = spec.parent.ID, spec.parent.depth+1
	}
	if spec.Targets != nil {
		r.automation.all.put(e.ID, e)
		e.runOn(spec.Targets, spec.Parameters)
		return e, nil
	}
	for _, step := range version.book.MainSteps {
		e.Steps = append(e.Steps, &StepExecution{
			ID: r.NewUUID("step"), Step: step.Name, Action: step.Action, Status: "Pending", Timeout: step.TimeoutSeconds,
			Attempts: max(step.MaxAttempts, 1), OnFail: orAbort(step.OnFailure), IsEnd: step.IsEnd, Critical: step.critical(),
			NextStep: step.NextStep, Inputs: map[string]string{}, Outputs: map[string][]string{},
		})
	}
	r.automation.all.put(e.ID, e)
	e.set("Pending")
	r.startWaiting()
	return e, nil
}

func orAbort(onFailure string) string {
	if onFailure == "" {
		return "Abort"
	}
	return onFailure
}

// startWaiting starts as many pending executions as there is room for, in the order they came.
func (r *Region) startWaiting() {
	running := 0
	var waiting []*Execution
	for _, e := range r.automation.all.all() {
		switch {
		case e.Done(), e.targets != nil:
		case e.Status == "Pending" && e.current < 0:
			waiting = append(waiting, e)
		default:
			running++
		}
	}
	for _, e := range waiting[:min(len(waiting), max(AutomationAtOnce-running, 0))] {
		e.set("InProgress")
		e.current = 0
		turn := e.turn
		r.World.After(automationBegins, func() {
			if e.turn == turn && e.Status == "InProgress" {
				e.run(0, 1)
			}
		})
	}
}

// Execution returns the execution with that id.
func (r *Region) Execution(id string) (*Execution, error) {
	e, ok := r.automation.all.get(id)
	if !ok {
		return nil, api.Errorf("AutomationExecutionNotFoundException", "Execution %s does not exist.", id)
	}
	return e, nil
}

// Executions lists the region's executions, newest first.
func (r *Region) Executions() []*Execution {
	all := r.automation.all.all()
	slices.Reverse(all)
	return all
}

// Done reports whether the execution is terminal.
func (e *Execution) Done() bool {
	switch e.Status {
	case "Success", "Failed", "TimedOut", "Cancelled":
		return true
	}
	return false
}

// StatusAt is the status at an earlier moment, which is what a lagging read shows; ok is false before it was started.
func (e *Execution) StatusAt(at time.Time) (status string, ok bool) {
	for _, entry := range e.history {
		if entry.at.After(at) {
			break
		}
		status, ok = entry.status, true
	}
	return status, ok
}

// Current is the running step, or nil.
func (e *Execution) Current() *StepExecution {
	if e.current < 0 || e.current >= len(e.Steps) {
		return nil
	}
	return e.Steps[e.current]
}

func (e *Execution) set(status string) {
	now := e.Region.World.now
	e.Status = status
	e.history = append(e.history, statusAt{now, status})
	if e.Done() {
		e.Ended = now
		e.turn++
		e.Region.startWaiting()
	}
	e.Region.Changed("automation", e.ID, status)
	if e.Done() && e.onEnd != nil {
		e.onEnd()
	}
}

// Stop ends an execution. Cancel also asks its command to end, which takes its own time and gives no guarantee;
// Complete lets the running step end.
func (e *Execution) Stop(kind string) error {
	switch {
	case e.Done():
		return api.Errorf(
			"InvalidAutomationStatusUpdateException", "Execution %s has already ended with status %s.", e.ID, e.Status,
		)
	case e.Status == "Cancelling" || e.cancelled:
		return nil
	case e.targets != nil:
		e.stopTargets(kind)
		return nil
	case kind == "Complete":
		e.finishing = true
		return nil
	case e.Status == "Pending":
		e.set("Cancelled")
		return nil
	}
	e.set("Cancelling")
	e.Region.World.After(automationStops, func() {
		if e.Done() {
			return
		}
		if step := e.Current(); step != nil && (step.Status == "InProgress" || step.Status == "Waiting") {
			step.Status, step.Ended = "Cancelled", e.Region.World.now
			step.Failure = "Step was cancelled."
			// Nothing promises that a cancelled step's command is cancelled too: where lists lag it is not, nor where its
			// role may not do that.
			lags := e.Region.World.Scenario.Durations.CommandLag != 0
			if step.command != nil && !lags && e.allowed("ssm", "CancelCommand", map[string]any{
				"CommandId": step.command.ID,
			}) == nil {
				step.command.Cancel(nil)
			}
			if step.child != nil && !step.child.Done() {
				_ = step.child.Stop(kind) // it runs: nothing refuses
			}
		}
		e.endCancelled()
	})
	return nil
}

// endCancelled ends an execution that was asked to stop, after the steps that the one it was at names for that.
func (e *Execution) endCancelled() {
	if n := e.current; n >= 0 && !e.cancelled {
		if target, jumps := strings.CutPrefix(e.book.MainSteps[n].OnCancel, "step:"); jumps {
			e.cancelled = true
			e.set("InProgress")
			e.run(e.book.index(target), 1)
			return
		}
	}
	e.finish("Cancelled")
}
