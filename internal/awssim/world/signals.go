package world

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// waitingStep is what a step waits for that only a signal brings: approvals, or with needed 0 a resume.
type waitingStep struct {
	needed    int
	approvers []string
	decisions []decision
	end       func(result)
}

type decision struct {
	Approver, Decision, Comment string
}

// waitFor puts the execution into the state Waiting until a signal comes.
func (e *Execution) waitFor(done *StepExecution, waiting *waitingStep) {
	done.waiting, done.Status = waiting, "Waiting"
	e.set("Waiting")
}

// approveStep is aws:approve. The notification goes out first.
func (e *Execution) approveStep(done *StepExecution, inputs map[string]any, end func(result)) {
	waiting := &waitingStep{needed: 1, approvers: texts(inputs["Approvers"]), end: end}
	if text := textOf(inputs["MinRequiredApprovals"]); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10 {
			end(result{status: "Failed", failure: "MinRequiredApprovals must be 1 to 10, it is " + text})
			return
		}
		waiting.needed = n
	}
	if len(waiting.approvers) == 0 || len(waiting.approvers) > 10 {
		end(result{status: "Failed", failure: "aws:approve needs 1 to 10 Approvers"})
		return
	}
	if topic := textOf(inputs["NotificationArn"]); topic != "" {
		message := textOf(inputs["Message"]) + "\nExecution: " + e.ID + "\nStep: " + done.Step
		if _, err := e.call(
			"sns", "Publish", map[string]any{"TopicArn": topic, "Subject": "Automation approval requested", "Message": message},
		); err != nil {
			end(result{status: "Failed", failure: err.Error()})
			return
		}
	}
	done.Outputs["ApprovalStatus"] = []string{"Waiting"}
	e.waitFor(done, waiting)
}

// Signal is SendAutomationSignal: Approve and Reject by an approver of the step that waits, Resume of one that pauses.
func (e *Execution) Signal(kind, caller string, payload map[string][]string) error {
	step := e.Current()
	if names := payload["StepName"]; len(names) > 0 && (step == nil || step.Step != names[0]) {
		return api.Errorf(
			"AutomationStepNotFoundException", "Step %s is not the one that execution %s is at.", names[0], e.ID,
		)
	}
	if step == nil || step.waiting == nil || e.Done() {
		return invalidSignal("Execution %s waits for no signal: its status is %s.", e.ID, e.Status)
	}
	waiting := step.waiting
	switch {
	case kind == "Resume" && waiting.needed == 0:
		waiting.end(result{status: "Success"})
		return nil
	case (kind == "Approve" || kind == "Reject") && waiting.needed > 0:
		return waiting.decide(kind, caller, strings.Join(payload["Comment"], " "))
	case slices.Contains([]string{"Approve", "Reject", "Resume"}, kind):
		return invalidSignal("Step %s of execution %s does not wait for the signal %s.", step.Step, e.ID, kind)
	}
	return api.NotModelled("signal %s of ssm:SendAutomationSignal", kind)
}

func invalidSignal(format string, args ...any) error {
	return api.Errorf("InvalidAutomationSignalException", format, args...)
}

func (w *waitingStep) decide(kind, caller, comment string) error {
	if !slices.ContainsFunc(w.approvers, func(approver string) bool { return isCaller(approver, caller) }) {
		return invalidSignal("%s is not among the approvers.", caller)
	}
	if slices.ContainsFunc(w.decisions, func(d decision) bool { return d.Approver == caller }) {
		return invalidSignal("%s has decided already.", caller)
	}
	word := map[string]string{"Approve": "Approved", "Reject": "Rejected"}[kind]
	w.decisions = append(w.decisions, decision{caller, word, comment})
	text, _ := json.Marshal(w.decisions) // texts always marshal
	outputs := map[string][]string{"ApprovalStatus": {word}, "ApproverDecisions": {string(text)}}
	switch {
	case kind == "Reject":
		w.end(result{status: "Failed", failure: "The approval was rejected by " + caller + ".", outputs: outputs})
	case len(w.decisions) >= w.needed:
		w.end(result{status: "Success", outputs: outputs})
	}
	return nil
}

// isCaller reports whether an approver, a user's name or the ARN of a user, a role or a role's session, is who calls.
func isCaller(approver, caller string) bool {
	if approver == caller || strings.HasSuffix(caller, ":user/"+approver) {
		return true
	}
	account, rest, _ := strings.Cut(strings.TrimPrefix(caller, "arn:aws:sts::"), ":assumed-role/")
	role, _, _ := strings.Cut(rest, "/")
	return role != "" && approver == "arn:aws:iam::"+account+":role/"+role
}
