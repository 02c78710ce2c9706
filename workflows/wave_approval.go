package workflows

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
		return ""
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

// show mirrors the state into the UI's current details: a table, what is awaited, and the verbs.
func (w *wave) show(ctx workflow.Context) {
	for i := range w.status.Stages {
		w.status.Stages[i].Groups = w.status.Stages[i].Groups[:0]
	}
	for _, held := range w.groups {
		if held.stage < len(w.status.Stages) {
			counts := held.counts
			counts.Group, counts.WorkflowID = held.group.String(), held.workflowID
			w.status.Stages[held.stage].Groups = append(w.status.Stages[held.stage].Groups, counts)
		}
	}
	w.estimate(ctx)
	workflow.SetCurrentDetails(ctx, waveDetails(w.status))
}

// waveDetails is a wave's status as Markdown.
func waveDetails(status patch.WaveStatus) string {
	var text strings.Builder
	fmt.Fprintf(&text, "**%s** is **%s** since %s", status.Plan, status.State, status.Since.Format("15:04:05 MST"))
	if status.Outcome != "" {
		fmt.Fprintf(&text, ", outcome **%s**", status.Outcome)
	}
	text.WriteString("\n\n")
	if status.Awaiting != "" {
		fmt.Fprintf(&text, "> %s\n\n", status.Awaiting)
	}
	text.WriteString("| stage | group | phase | room | done | failed | why |\n|---|---|---|---|---|---|---|\n")
	rows := 0
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			if rows++; rows > longestTable {
				continue
			}
			fmt.Fprintf(&text, "| %s | %s | %s | %s | %d of %d | %d | %s |\n", stage.Name, group.Group, group.Phase, group.Strategy.Mode,
				group.Done, group.Total, len(group.Failed), cell(group.Reason))
		}
	}
	if rows > longestTable {
		fmt.Fprintf(&text, "\nand %d more groups\n", rows-longestTable)
	}
	if status.ETA != nil {
		fmt.Fprintf(&text, "\nETA: %s\n", status.ETA)
	}
	if len(status.Verbs) > 0 {
		fmt.Fprintf(&text, "\nTakes now (Updates, each with actor and reason): %v\n", status.Verbs)
	}
	for _, left := range status.Stranded {
		fmt.Fprintf(&text, "\n- **stranded** %s/%s %s: %s. %s\n", left.Account, left.Region, left.Resource, left.State, left.WhatToDo)
	}
	for _, problem := range status.NotTold {
		fmt.Fprintf(&text, "\n- nobody was told of %s\n", problem)
	}
	return text.String()
}
