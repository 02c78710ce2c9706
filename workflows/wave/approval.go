package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// approve waits where the stage asks for it, or the one before it did not prove the patches on all. Where
// the stage does not go on, its outcome is told.
func (w *wave) approve(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	name := w.plan.Stages[stage].Name
	gate := w.plan.Gate(stage, w.roster.unproven(stage-1))
	if gate == nil {
		return "", true
	}
	left := ""
	if len(gate.Unproven) > 0 {
		left = patch.NotProven(w.plan.Stages[stage-1].Name, gate.Unproven)
	}
	w.enter(ctx, patch.StateAwaitingApproval, w.approvalText(stage, left))
	until := unless(ctx, gate.Timeout, patch.Reject)
	ask := func(ctx workflow.Context) {
		w.tell(ctx, patch.NoticeAwaitingApproval, until, func(n *patch.Notice) {
			n.Instances = gate.Unproven[:min(len(gate.Unproven), run.MostListed)]
		})
	}
	ask(ctx)
	decision := w.awaitDecision(ctx, gate.Timeout, patch.Decision{
		Verb: patch.Reject, Actor: "patchtide", Reason: "nobody approved within " + gate.Timeout.String(),
		Point: w.status.Point(),
	}, ask)
	if decision.Verb == patch.Approve {
		return w.awaitWindow(ctx, stage, decision)
	}
	w.reason = fmt.Sprintf("%s was not approved: %s: %s", name, decision.Actor, decision.Reason)
	if left != "" {
		w.reason += "; " + left
	}
	return patch.Aborted, false
}

// approvalText tells what the stage before left unproven, what will happen, and what a rollback would lose.
func (w *wave) approvalText(stage int, left string) string {
	var text strings.Builder
	if left != "" {
		text.WriteString("Look first: " + left + ". ")
	}
	fmt.Fprintf(&text, "Stage %s: ", w.plan.Stages[stage].Name)
	for _, held := range w.roster.of(stage) {
		fmt.Fprintf(&text, "%s: %d instances, %d patches missing in all; ", held.group, held.counts.Total, held.missing)
	}
	if loses := w.plan.PutBackLoses(); loses != "" {
		text.WriteString(loses + ". ")
	}
	text.WriteString("Send approve or reject.")
	return text.String()
}
