package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// approve waits where the stage asks for it. Where the stage does not go on, its outcome is told.
func (w *wave) approve(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	planned := w.plan.Stages[stage]
	if planned.Approval == nil {
		return "", true
	}
	timeout := planned.Approval.Timeout
	w.enter(ctx, patch.StateAwaitingApproval, w.approvalText(stage))
	w.tell(ctx, patch.NoticeAwaitingApproval, unless(ctx, timeout, patch.Reject))
	until := unless(ctx, timeout, patch.Reject)
	decision := w.awaitDecision(ctx, timeout, patch.Decision{
		Verb: patch.Reject, Actor: "patchtide", Reason: "nobody approved within " + timeout.String(), Stage: planned.Name,
	}, func(ctx workflow.Context) { w.tell(ctx, patch.NoticeAwaitingApproval, until) })
	if decision.Verb == patch.Approve {
		return w.awaitWindow(ctx, stage, decision)
	}
	w.reason = fmt.Sprintf("%s was not approved: %s: %s", planned.Name, decision.Actor, decision.Reason)
	return patch.Aborted, false
}

// approvalText tells what will happen, and what a rollback would lose.
func (w *wave) approvalText(stage int) string {
	var text strings.Builder
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
