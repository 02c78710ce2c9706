package world

import (
	"fmt"
	"strings"
	"time"
)

// result is how a step's attempt ended.
type result struct {
	status  string // Success, Failed, TimedOut or Cancelled
	failure string
	code    string
	outputs map[string][]string
	next    string // of aws:branch: the step chosen
}

// run runs one attempt of a step.
func (e *Execution) run(n, attempt int) {
	w := e.Region.World
	step, done := e.book.MainSteps[n], e.Steps[n]
	e.current, e.attempt = n, attempt
	e.turn++
	if e.turn > attemptLimit {
		e.Failure = fmt.Sprintf("The execution ran %d steps: it goes in circles at %s.", attemptLimit, step.Name)
		e.finish("Failed")
		return
	}
	turn := e.turn
	done.Status, done.Failure, done.Started, done.Ended = "InProgress", "", w.now, time.Time{}
	limit := time.Duration(step.TimeoutSeconds) * time.Second
	if limit == 0 {
		limit = defaultStepLimit
		switch step.Action {
		case "aws:sleep", "aws:approve", "aws:pause":
			limit = 7 * 24 * time.Hour
		case "aws:executeAutomation":
			limit = 72 * time.Hour
		}
	}
	var timeout, expiry *Event
	end := func(r result) {
		if e.turn != turn || e.Done() {
			return // the step timed out or the execution was stopped meanwhile
		}
		timeout.Stop()
		expiry.Stop()
		e.stepEnded(n, attempt, r)
	}
	if e.callsAs(step.Action) {
		expiry = w.After(max(e.Started.Add(callersSession).Sub(w.now), 0), func() {
			end(result{status: "Failed", failure: "The security token included in the request is expired (Service: Ssm, " +
				"Status Code: 400, Error Code: ExpiredTokenException)"})
		})
	}
	timeout = w.After(limit, func() {
		end(
			result{
				status: "TimedOut", failure: fmt.Sprintf("Step timed out after %s while it was running %s.", limit, step.Action),
			},
		)
	})
	inputs, err := e.resolve(step.Inputs)
	if err != nil {
		end(result{status: "Failed", failure: err.Error()})
		return
	}
	resolved := inputs.(map[string]any)
	for name, value := range resolved {
		done.Inputs[name] = inputText(value)
	}
	switch step.Action {
	case "aws:runCommand":
		e.runCommandStep(done, resolved, end)
	case "aws:sleep":
		e.sleepStep(resolved, end)
	case "aws:branch":
		e.branchStep(resolved, end)
	case "aws:createTags":
		e.createTagsStep(resolved, end)
	case "aws:executeAwsApi":
		e.apiStep(step, resolved, end)
	case "aws:assertAwsResourceProperty":
		e.assertStep(resolved, end)
	case "aws:waitForAwsResourceProperty":
		e.waitStep(turn, resolved, end)
	case "aws:executeAutomation":
		e.childStep(done, resolved, end)
	case "aws:approve":
		e.approveStep(done, resolved, end)
	case "aws:pause":
		e.waitFor(done, &waitingStep{end: end})
	default:
		e.functionStep(step, resolved, end)
	}
}

// callsAs reports whether a step calls AWS by its caller's session, which lasts 12 hours (the guide on running
// automations: "You must specify a service role for automation that you expect to run longer than 12 hours").
func (e *Execution) callsAs(action string) bool {
	switch action {
	case "aws:sleep", "aws:branch", "aws:approve", "aws:pause":
		return false
	}
	return e.role == ""
}

func (e *Execution) stepEnded(n, attempt int, r result) {
	step, done := e.book.MainSteps[n], e.Steps[n]
	done.Status, done.Failure, done.Code, done.Ended = r.status, r.failure, r.code, e.Region.World.now
	done.waiting = nil
	for name, values := range r.outputs {
		done.Outputs[name] = values
	}
	if e.Status == "Cancelling" {
		e.endCancelled()
		return
	}
	if e.Status == "Waiting" {
		e.set("InProgress")
	}
	if r.status != "Success" && attempt < done.Attempts {
		e.run(n, attempt+1)
		return
	}
	next := n + 1
	switch {
	case r.next != "":
		next = e.book.index(r.next)
	case r.status == "Success" && step.NextStep != "":
		next = e.book.index(step.NextStep)
	}
	if r.status != "Success" {
		target, jumps := strings.CutPrefix(done.OnFail, "step:")
		switch {
		case done.OnFail == "Abort", done.OnFail == "Cancel":
			e.Failure = fmt.Sprintf("Step fails when it is executing: %s. %s", step.Name, r.failure)
			status := r.status
			if done.OnFail == "Cancel" || e.cancelled {
				status = "Cancelled"
			}
			e.finish(status)
			return
		case jumps:
			next = e.book.index(target)
		case step.NextStep != "":
			next = e.book.index(step.NextStep)
		}
		if step.critical() {
			e.broken = true
		}
	}
	if step.IsEnd || e.finishing || next >= len(e.Steps) {
		status := "Success"
		if e.broken {
			status = "Failed"
		}
		if e.cancelled {
			status = "Cancelled"
		}
		e.finish(status)
		return
	}
	e.run(next, 1)
}

// finish fills in the outputs and ends the execution.
func (e *Execution) finish(status string) {
	for _, name := range e.book.Outputs {
		if values, ok := e.lookUp(name); ok {
			e.Outputs[name] = values
		}
	}
	e.set(status)
}
