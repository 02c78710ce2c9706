package wave

import (
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// show mirrors the state into the UI's current details: where it stands, what is awaited, and what to send.
func (w *wave) show(ctx workflow.Context) {
	for i := range w.status.Stages {
		w.status.Stages[i].Groups = w.status.Stages[i].Groups[:0]
	}
	for _, held := range w.roster.groups {
		if held.stage < len(w.status.Stages) {
			counts := held.counts
			counts.Group, counts.WorkflowID = held.group.String(), held.workflowID
			counts.BaselineDiffered = held.differed
			counts.ToPutBack = w.status.State != patch.StateClosed && !held.wasPutBack && w.isToPutBack(held.stage)
			counts.Now = run.AtWork(held.counts.Phase, held.now.Now)
			if w.status.State == patch.StateClosed { // whatever it was held for, and was never told to do
				counts.Phase = patch.GroupDone
				if held.result != nil {
					counts.Outcome = held.result.Outcome
				}
			}
			if counts.Phase != patch.GroupDone {
				counts.Outcome = "" // it has none yet
			}
			w.status.Stages[held.stage].Groups = append(w.status.Stages[held.stage].Groups, counts)
		}
	}
	w.status.Stranded, w.status.FailingUndos = w.stranded(), w.roster.failing()
	w.status.RollsBack = w.roster.rollsBack(w.plan, w.status.Stage, w.status.Stages)
	w.status.Awaiting = patch.Asks(w.asks, w.status.FailingUndos)
	w.estimate(ctx)
	workflow.SetCurrentDetails(ctx, waveDetails(w.status, workflow.GetInfo(ctx).Namespace))
}

// waveDetails is a wave's status as Markdown. The UI shows it in half a page, some 540 pixels: few columns, short
// cells.
func waveDetails(status patch.WaveStatus, namespace string) string {
	var text strings.Builder
	doc := brief.Write(status, patch.Waits{}, brief.UTC, brief.UTC)
	run.Write(&text, "**%s** is **%s**", status.Plan, status.State.Words())
	if status.Outcome != "" {
		run.Write(&text, ": **%s**", status.Outcome.Words())
	}
	if status.Stage != "" && status.State != patch.StateClosed {
		run.Write(&text, ", stage **%s**", status.Stage)
		if step := status.Current().StepWords(); step != "" {
			run.Write(&text, ", %s", step)
		}
	}
	if status.State == patch.StateOnHold && status.Hold > 0 {
		run.Write(&text, ", hold **%d**", status.Hold)
	}
	run.Write(&text, ", since %s\n\n", brief.UTC(status.Since))
	if why := status.Waits(); why != "" {
		run.Write(&text, "> It waits: %s\n\n", why)
	}
	if doc.Why != "" {
		run.Write(&text, "> Why: %s\n\n", doc.Why)
	}
	if doc.Asks != "" {
		run.Write(&text, "> %s\n\n", doc.Asks)
	}
	if doc.Silence != "" {
		run.Write(&text, "%s\n\n", doc.Silence)
	}
	if doc.Window != "" {
		run.Write(&text, "%s\n\n", doc.Window)
	}
	for i, about := range doc.Case {
		if i == 0 {
			text.WriteString("**What it is about**\n\n")
		}
		run.Write(&text, "- %s\n", about)
		if i == len(doc.Case)-1 {
			text.WriteString("\n")
		}
	}
	for _, helper := range status.Helpers {
		run.Write(&text, "- %s\n", run.PageOf(namespace, helper.WorkflowID, helper.Does))
	}
	writeGroups(&text, status, namespace)
	for _, failure := range doc.Failures {
		run.Write(&text, "- %s\n", failure)
	}
	for _, blocked := range status.Blocked {
		run.Write(&text, "- %s\n", blocked)
	}
	for _, ran := range doc.Hooks {
		run.Write(&text, "- %s\n", ran)
	}
	if status.ETA != nil && status.ETA.Left+status.ETA.Overdue > 0 {
		run.Write(&text, "\n**ETA**: %s\n", status.ETA)
	}
	if doc.Quarantine != "" {
		run.Write(&text, "\n%s\n", doc.Quarantine)
	}
	writeVerbs(&text, status, doc.Choices)
	for _, failing := range status.FailingUndos {
		text.WriteString(run.Failing(&failing))
	}
	for _, worry := range doc.Worries {
		run.Write(&text, "\n- **%s** %s\n", worry.Kind, worry.What)
	}
	return text.String()
}

// mostReasons is of how many groups it is told why they stand where they do; the pages of the others tell it.
const mostReasons = 15

// mostInARow is how many instances under way are told of one group; its page tells of each.
const mostInARow = 3

// writeGroups writes one row a group, then why a group stands where it does, as far as what is asked does not say so.
func writeGroups(text *strings.Builder, status patch.WaveStatus, namespace string) {
	var rows, reasons []run.Marked
	count := 0
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			if group.Reason != "" && !strings.Contains(status.Awaiting, group.Reason) && len(reasons) < mostReasons {
				reasons = append(reasons, run.Said("- %s: %s\n", group.Group, run.Cell(group.Reason)))
			}
			if count++; count > run.LongestTable {
				continue // it is written at each report: of a thousand groups that would take a replay minutes
			}
			instance, step, since := run.Marked(""), group.Stands(), ""
			for i, now := range group.Now {
				if i == 0 {
					instance, step = "", ""
				} else if i == mostInARow {
					instance += run.Said("<br>and %d more", len(group.Now)-i)
					break
				} else {
					instance, step, since = instance+"<br>", step+"<br>", since+"<br>"
				}
				instance += run.PageOf(namespace, names.InstanceOf(group.WorkflowID, now.ID), now.ID)
				step += now.Step.Told(now.Undoing)
				since += now.Since.UTC().Format(time.TimeOnly)
			}
			page := run.PageOf(namespace, group.WorkflowID, group.Group)
			rows = append(rows, run.Said("| **%s** %s | %s | %s | %s | %s | %s |\n",
				stage.Name, page, group.Count(), instance, step, since, etaOf(group.ETA)))
		}
	}
	if len(rows) == 0 {
		return
	}
	text.WriteString("| stage, group | instances | under way | step | since (UTC) | ETA (UTC) |\n" +
		"|---|---|---|---|---|---|\n")
	for _, row := range rows {
		text.WriteString(string(row))
	}
	if more := count - len(rows); more > 0 {
		run.Write(text, "\nand %d more groups\n", more)
	}
	if every := status.CountsEvery; every > 1 {
		run.Write(text, "\nEach group is counted after every %d instances of it; its own page tells of each.\n", every)
	}
	text.WriteString("\n")
	for _, reason := range reasons {
		text.WriteString(string(reason))
	}
}

// etaOf is when a group is likely to be done, or how much of its work is left while that hangs on a person.
func etaOf(eta *patch.ETA) string {
	switch {
	case eta == nil || eta.Left+eta.Overdue <= 0:
		return ""
	case eta.Overdue > 0:
		return "overdue by " + eta.Overdue.Rough()
	case eta.Done.IsZero():
		return eta.Left.Rough() + " left"
	}
	return eta.Done.UTC().Format("15:04")
}

// writeVerbs tells what may be sent now, in the UI and on a command line.
func writeVerbs(text *strings.Builder, status patch.WaveStatus, choices []brief.Choice) {
	if len(choices) == 0 {
		return
	}
	text.WriteString("\n**To send now**: *More Actions*, *Send an Update*; or the command.\n\n")
	text.WriteString("| Update | its data | command |\n|---|---|---|\n")
	for _, choice := range choices {
		data, flags := choice.Verb.ToSend(status)
		command := names.VerbCommand(choice.Verb, status.WaveID, flags...)
		run.Write(text, "| **%s** %s | %s | %s |\n", choice.Verb, choice.When, run.Code(data), run.Code(command))
	}
}
