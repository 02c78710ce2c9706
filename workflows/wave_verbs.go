package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// verbHelp is what the Temporal UI shows beside each verb.
var verbHelp = map[patch.Verb]string{
	patch.Approve:  "Let the stage that waits for approval begin",
	patch.Reject:   "Refuse the stage that waits for approval: the wave ends, nothing of it was touched",
	patch.Retry:    "Try the failed instances again, then go on",
	patch.Skip:     "Leave the failed instances as they are (put back) and go on with the others",
	patch.RollBack: "Put back every instance the stage (or, with scope wave, the wave) patched",
	patch.Abort: "Stop: a running instance is put back or, once proven, finished; nothing else is started. " +
		"Sent again while things are put back: give up on what cannot be, and report it",
}

// VerbAccepted answers a verb: it is recorded, and the wave acts on it next.
type VerbAccepted struct {
	Verb  patch.Verb      `json:"verb"`
	State patch.WaveState `json:"state"`
}

// answer sets the status query, the verbs and the groups' reports up.
func (w *wave) answer(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus, func() (patch.WaveStatus, error) { return w.status, nil },
		workflow.QueryHandlerOptions{Description: "Where the wave stands, what it waits for, and which verbs it takes"}); err != nil {
		return err
	}
	for verb, help := range sortedVerbs() {
		if err := w.take(ctx, verb, help); err != nil {
			return err
		}
	}
	reports := workflow.GetSignalChannelWithOptions(ctx, names.SignalGroupReport, workflow.SignalChannelOptions{Description: "A group's counts; for groups only"})
	workflow.Go(ctx, func(c workflow.Context) {
		clean, _ := workflow.NewDisconnectedContext(c)
		for {
			var counts patch.GroupCounts
			reports.Receive(clean, &counts)
			w.heard(clean, counts)
		}
	})
	return nil
}

// sortedVerbs ranges over the verbs in a fixed order, as a replay needs.
func sortedVerbs() func(func(patch.Verb, string) bool) {
	return func(yield func(patch.Verb, string) bool) {
		for _, verb := range []patch.Verb{patch.Approve, patch.Reject, patch.Retry, patch.Skip, patch.RollBack, patch.Abort} {
			if !yield(verb, verbHelp[verb]) {
				return
			}
		}
	}
}

// take registers one verb: it validates, records the decision and returns; the main loop does the work.
func (w *wave) take(ctx workflow.Context, verb patch.Verb, help string) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, string(verb), func(ctx workflow.Context, request VerbRequest) (VerbAccepted, error) {
		decision := patch.Decision{
			Verb: verb, Scope: request.Scope, Actor: request.Actor, Reason: request.Reason, Stage: w.status.Stage, At: workflow.Now(ctx),
		}
		w.status.Decisions = append(w.status.Decisions, decision)
		w.decision = &decision
		// Until the main loop has acted, a second verb would race the first: take none.
		w.status.Verbs = nil
		return VerbAccepted{Verb: verb, State: w.status.State}, nil
	}, workflow.UpdateHandlerOptions{
		Description: help,
		Validator: func(request VerbRequest) error {
			if err := request.Validate(verb); err != nil {
				return err
			}
			if w.decision != nil {
				return fmt.Errorf("%s by %s is being carried out; ask for status, then decide again", w.decision.Verb, w.decision.Actor)
			}
			return patch.MayTell(verb, w.status.State)
		},
	})
}

// heard takes a group's report.
func (w *wave) heard(ctx workflow.Context, counts patch.GroupCounts) {
	before := patch.GroupCounts{}
	for _, held := range w.groups {
		if held.workflowID != counts.WorkflowID {
			continue
		}
		before, held.counts = held.counts, counts
	}
	w.news++
	w.show(ctx)
	w.tellFailures(ctx, before, counts)
}

// takeDecision returns the decision that waits, once.
func (w *wave) takeDecision() *patch.Decision {
	decision := w.decision
	w.decision = nil
	return decision
}
