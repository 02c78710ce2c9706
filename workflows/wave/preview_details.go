package wave

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// previewDetails is a preview as Markdown, for the Temporal UI.
func previewDetails(p patch.Preview) string {
	var text strings.Builder
	verdict := run.Marked("**could run**")
	if !p.CouldRun() {
		verdict = run.Said("**is blocked**, by %d", len(p.Blockers))
	}
	run.Write(&text, "Nothing was changed. A wave of **%s** %s. "+
		"%d of %d instances are due, %d patches missing, %d reboots%s.\n\n",
		p.Plan, verdict, p.Due, p.Instances, p.Missing, p.Reboots, ifRequired(p.MayBoot))
	run.Write(&text, "It takes about **%s**", p.Takes.Rough())
	if len(p.NotCounted) > 0 {
		run.Write(&text, ", not counted: %s", strings.Join(p.NotCounted, ", "))
	}
	if p.Window != nil {
		run.Write(&text, ". Window %s to %s, nothing is begun from %s: %d of %d fit", brief.UTC(p.Window.Opens),
			brief.UTC(p.Window.Closes), brief.UTC(p.Window.Cutoff), p.InTime, p.Due)
	}
	text.WriteString(".\n\n")
	if p.AfterPlan != nil {
		run.Write(&text, "It %s.\n\n", p.AfterPlan.Told())
	}
	for i, blocker := range p.Blockers {
		if i >= run.LongestTable/4 {
			run.Write(&text, "- and %d more\n", len(p.Blockers)-i)
			break
		}
		of := ""
		if len(blocker.Instances) > 0 {
			of = " (" + run.Shorten(strings.Join(blocker.Instances, ", ")) + ")"
		}
		run.Write(&text, "- **%s** %s%s: %s. %s\n",
			blocker.Code, blocker.Where, of, run.Cell(blocker.What), run.Cell(blocker.WhatToDo))
	}
	text.WriteString("\n| begins | stage | group | room | instance | does | missing | reboot | known |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	rows := 0
	for _, stage := range p.Stages {
		for _, group := range stage.Groups {
			if rows++; len(group.Instances) == 0 && rows <= run.LongestTable {
				run.Write(&text, "| | %s | %s | %s | | | | | |\n", stage.Name, group.Group, run.Cell(group.Refused))
			}
			for _, instance := range group.Instances {
				if rows++; rows <= run.LongestTable {
					run.Write(&text, "| +%s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
						instance.Begins.Rough(), stage.Name, group.Group, madeBy(group), instance.ID, instance.Does,
						missesBySeverity(instance), rebootWord(instance), knownAgo(instance))
				}
			}
		}
	}
	if rows > run.LongestTable {
		run.Write(&text, "\nand %d more rows: see the result\n", rows-run.LongestTable)
	}
	for _, stage := range p.Stages {
		writeBound(&text, stage)
	}
	writeHooks(&text, "the wave", p.Hooks)
	for _, stage := range p.Stages {
		writeHooks(&text, stage.Name, stage.Hooks)
	}
	if p.Loses != "" {
		run.Write(&text, "\n- %s\n", p.Loses)
	}
	for _, note := range p.Notes {
		run.Write(&text, "\n- %s\n", note)
	}
	return text.String()
}

// writeBound tells what would bind a stage.
func writeBound(text *strings.Builder, stage patch.PreviewStage) {
	for _, line := range stage.Bound.Told("the result") {
		switch {
		case line.Package:
			run.Write(text, "    - %s\n", run.Cell(line.Text))
		default:
			run.Write(text, "\n- manifest of %s: %s\n", stage.Name, run.Cell(line.Text))
		}
	}
}

// writeHooks lists the hooks of a stage, or of the wave.
func writeHooks(text *strings.Builder, of string, hooks patch.Hooks) {
	for _, point := range patch.HookPoints() {
		for _, hook := range hooks[point] {
			run.Write(text, "\n- hook of %s, %s: %s\n", of, point, run.Cell(hook.Words()))
		}
	}
}

// madeBy is how a group makes room, in a word.
func madeBy(group patch.PreviewGroup) string {
	switch {
	case group.Refused != "":
		return "refused"
	case group.Strategy.Mode == "":
		return "deregister"
	}
	return string(group.Strategy.Mode)
}

// missesBySeverity is how many patches an instance misses, and how bad: "6: 2 Critical, 4 Low".
func missesBySeverity(instance patch.PreviewInstance) string {
	text := fmt.Sprint(instance.MissingCount)
	for i := 0; i < len(instance.Missing); {
		end := i
		for end < len(instance.Missing) && instance.Missing[end].Severity == instance.Missing[i].Severity {
			end++
		}
		sign := ","
		if i == 0 {
			sign = ":"
		}
		text += fmt.Sprintf("%s %d %s", sign, end-i, instance.Missing[i].Severity)
		i = end
	}
	return text
}

func rebootWord(instance patch.PreviewInstance) string {
	switch {
	case instance.Reboot:
		return "yes"
	case instance.RebootIfRequired:
		return "if required"
	}
	return "no"
}

// ifRequired says how many more may be rebooted.
func ifRequired(more int) string {
	if more == 0 {
		return ""
	}
	return fmt.Sprintf(", %d more if required", more)
}

func knownAgo(instance patch.PreviewInstance) string {
	if instance.KnownAt.IsZero() {
		return "never scanned"
	}
	return instance.Age.Rough() + " ago"
}
