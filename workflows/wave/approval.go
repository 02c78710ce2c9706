package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// approve waits where the stage asks for it. An outcome of "" means go.
func (w *wave) approve(ctx workflow.Context, stage patch.Stage, number int) patch.Outcome {
	if stage.Approval == nil {
		return ""
	}
	w.enter(ctx, patch.StateAwaitingApproval, w.approvalText(stage, number))
	w.tell(ctx, patch.NoticeAwaitingApproval, unless(ctx, stage.Approval.Timeout, patch.Reject))
	decision := w.awaitDecision(ctx, stage.Approval.Timeout, patch.Decision{
		Verb: patch.Reject, Actor: "patchtide", Reason: "nobody approved within " + stage.Approval.Timeout.String(), Stage: stage.Name,
	})
	if decision.Verb == patch.Approve {
		return w.awaitWindow(ctx, number, decision)
	}
	w.reason = fmt.Sprintf("%s was not approved: %s: %s", stage.Name, decision.Actor, decision.Reason)
	return patch.Aborted
}

// approvalText tells what will happen, and what a rollback would lose.
func (w *wave) approvalText(stage patch.Stage, number int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Stage %s: ", stage.Name)
	for _, held := range w.stageGroups(number) {
		fmt.Fprintf(&text, "%s: %d instances, %d patches missing in all; ", held.group, held.counts.Total, held.missing)
	}
	if loses := w.plan.PutBackLoses(); loses != "" {
		text.WriteString(loses + ". ")
	}
	text.WriteString("Send approve or reject.")
	return text.String()
}
