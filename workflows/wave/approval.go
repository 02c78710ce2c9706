package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// approve waits where the stage asks for it, or the one before it did not prove the patches on all. Where
// the stage does not go on, its outcome is told. Where nothing is due nobody is woken to approve nothing.
func (w *wave) approve(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	gate := w.plan.Gate(stage, w.roster.unproven(stage-1))
	if gate == nil {
		return "", true
	}
	if len(gate.Unproven) == 0 && w.roster.nothingDue(stage) {
		w.turn.unasked = true
		return "", true
	}
	left := ""
	if len(gate.Unproven) > 0 {
		left = patch.NotProven(w.plan.Stages[stage-1].Name, gate.Unproven)
	}
	return w.askApproval(ctx, stage, *gate, left)
}

// askApproval waits for a person; first is what they should look at first.
func (w *wave) askApproval(
	ctx workflow.Context, stage int, gate patch.Gate, first string,
) (outcome patch.Outcome, goesOn bool) {
	w.enter(ctx, patch.StateAwaitingApproval, w.approvalText(stage, first))
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
	w.reason = fmt.Sprintf("%s was not approved: %s: %s", w.plan.Stages[stage].Name, decision.Actor, decision.Reason)
	if first != "" {
		w.reason += "; " + first
	}
	return patch.Aborted, false
}

// approveAfterAll asks for what became due after nobody was asked to approve nothing.
func (w *wave) approveAfterAll(
	ctx workflow.Context, stage int, held []*lockedGroup,
) (outcome patch.Outcome, goesOn bool) {
	w.makeWait(ctx, w.roster.pausable(stage))
	gate := w.plan.Gate(stage, nil)
	if outcome, goesOn = w.askApproval(ctx, stage, *gate, "patches became due since the wave began: "+
		becameDue(held)); !goesOn {
		w.stop(ctx, stage, patch.StateAborting)
		return outcome, false
	}
	w.turn.unasked = false
	return w.goOnFrom(ctx, stage, held, group.OrderRetry)
}

// allUnapproved reports whether groups are held for nothing but patches that nobody was asked to approve.
func allUnapproved(held []*lockedGroup) bool {
	for _, one := range held {
		for _, instance := range one.counts.Failed {
			if isFailed(instance) && instance.Refused != patch.NotApproved {
				return false
			}
		}
	}
	return true
}

// becameDue names the instances with what each says.
func becameDue(held []*lockedGroup) string {
	var said []string
	for _, one := range held {
		said = append(said, notWhole(one))
	}
	return strings.Join(said, "; ")
}

// approvalText tells what the stage before left unproven, what will happen, and what a rollback would lose.
func (w *wave) approvalText(stage int, left string) string {
	var text strings.Builder
	if left != "" {
		text.WriteString("Look first: " + left + ". ")
	}
	if stage > 0 && w.status.Stages[stage-1].Soak != nil {
		before := w.status.Stages[stage-1]
		text.WriteString(before.Soak.Told(before.Name, before.Soak.Ended, brief.UTC) + ". ")
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
