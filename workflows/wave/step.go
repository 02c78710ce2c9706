package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
)

// passStep lets a stage's groups go on to the next step, now that all of them have come as far as the present one: once
// that has soaked, and somebody has approved, where it asks for that. Where the stage does not go on, its outcome is
// told.
func (w *wave) passStep(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	planned, at := w.plan.Stages[stage], w.turn.step
	step := planned.Gates()[at]
	if planned.Canary == nil {
		w.status.Stages[stage].Steps[at].Done = workflow.Now(ctx)
	}
	if step.Soak != nil {
		if outcome, goesOn = w.soakStep(ctx, stage, *step.Soak); !goesOn {
			return outcome, false
		}
	}
	if step.Approval != nil {
		w.turn.approval = step.Approval
		outcome, goesOn = w.askApproval(ctx, stage, w.stepAsked(stage, at))
		w.turn.approval = nil
		if !goesOn {
			if outcome == patch.Aborted && w.roster.holdsLocks() {
				w.stop(ctx, stage, patch.StateAborting)
			}
			return outcome, false
		}
	}
	w.goStep(stage, at+1)
	if w.status.State != patch.StateRunning && w.inbox.paused == nil {
		w.enter(ctx, patch.StateRunning, "")
	}
	return "", true
}

// goStep makes a step of a stage, counted from 0, the present one.
func (w *wave) goStep(stage, step int) {
	w.turn.step = step
	for _, held := range w.roster.of(stage) {
		held.at = step
	}
	for i := range w.status.Stages[stage].Steps {
		w.status.Stages[stage].Steps[i].Next = i == step
	}
}

// soakStep parks the wave until what a step has patched has soaked.
func (w *wave) soakStep(ctx workflow.Context, stage int, soak patch.After) (outcome patch.Outcome, goesOn bool) {
	planned, at := w.plan.Stages[stage], w.turn.step
	s := &soaking{
		Soak:  patch.NewSoak(soak, planned.Called(at+1), workflow.Now(ctx)),
		stage: stage, of: planned.Called(at), asks: planned.Gates()[at].Approval != nil, watched: w.toWatch(stage),
	}
	w.status.Stages[stage].Steps[at].Soak = s.Soak
	return w.parkForSoak(ctx, s)
}

// stepAsked is what is asked of people once a step, counted from 0, is done.
func (w *wave) stepAsked(stage, at int) asked {
	planned := w.plan.Stages[stage]
	text := planned.Called(at) + " is done: " + w.stepSoFar(stage) + ". "
	if soak := w.status.Stages[stage].Steps[at].Soak; soak != nil {
		text += soak.Told(planned.Called(at), soak.Ended, brief.UTC) + ". "
	}
	first := patch.NotProven(planned.Name, w.roster.unproven(stage))
	if first != "" {
		text = "Look first: " + first + ". " + text
	}
	return asked{
		approval: *planned.Steps[at].Approval, what: planned.Called(at + 1), first: first,
		text: fmt.Sprintf("%sThen %s. Send approve or reject; reject ends the wave and leaves what is patched as it is.",
			text, planned.Called(at+1)),
	}
}

// stepSoFar is how many of each group of a stage are patched.
func (w *wave) stepSoFar(stage int) string {
	var said []string
	all := w.roster.of(stage)
	for _, held := range all[:min(len(all), mostToApprove)] {
		said = append(said, fmt.Sprintf("%s: %d of %d patched", held.group, held.counts.Patched, held.counts.Total))
	}
	if more := len(all) - mostToApprove; more > 0 {
		said = append(said, fmt.Sprintf("and %d more groups", more))
	}
	return strings.Join(said, "; ")
}

// holdsLocks reports whether the wave has its groups' locks.
func (r *roster) holdsLocks() bool {
	return len(r.which(func(held *lockedGroup) bool { return held.child != nil && held.result == nil })) > 0
}

// isFirst reports whether the group is at its stage's first step, or at its canary, and not through with it.
func (h *lockedGroup) isFirst() bool { return h.at == 0 && h.owes() }

// stepApprovals are those that the stage still asks for between its steps, but for one that is asked for now.
func (w *wave) stepApprovals(stage int) []string {
	from := 0
	if w.plan.Stages[stage].Name == w.status.Stage {
		from = w.turn.step
		if w.turn.approval != nil {
			from++
		}
	}
	return w.plan.Stages[stage].StepApprovals(from)
}
