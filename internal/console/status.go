package console

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"github.com/patchtide/patchtide/internal/patch"
)

// Status is a wave's status as text: where it stands, what it asks for, and one row a group. It holds no colours, so
// that it reads the same in a terminal, a log and a ticket.
func Status(status patch.WaveStatus) string {
	var text strings.Builder
	text.WriteString(status.WaveID)
	if status.Plan != "" { // a roll back whose wave left no evidence has none
		text.WriteString("  plan " + status.Plan)
	}
	if status.PutsBack != "" {
		text.WriteString("  puts back " + status.PutsBack)
	}
	text.WriteString("  " + waveState(status))
	if status.Hold > 0 && status.State != patch.StateClosed {
		fmt.Fprintf(&text, "  hold %d", status.Hold)
	}
	if status.State != patch.StateClosed {
		fmt.Fprintf(&text, " since %s", status.Since.Local().Format("15:04:05"))
	}
	text.WriteString("\n")
	if status.Reason != "" {
		fmt.Fprintf(&text, "Why: %s\n", status.Reason)
	}
	if status.Awaiting != "" {
		fmt.Fprintf(&text, "It asks: %s\n", status.Awaiting)
	}
	if status.Until != nil {
		fmt.Fprintf(
			&text, "If nobody answers by %s: %s\n", status.Until.Local().Format("2006-01-02 15:04:05"), status.Otherwise,
		)
	}
	rows := table.New().Border(lipgloss.ASCIIBorder()).Headers("Stage", "Group", "Phase", "Done", "Failed").
		StyleFunc(func(int, int) lipgloss.Style { return lipgloss.NewStyle().Padding(0, 1) })
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			rows.Row(
				stage.Name, group.Group, spaced(string(group.Phase)), fmt.Sprintf("%d of %d", group.Done, group.Total),
				fmt.Sprint(group.FailedCount()),
			)
		}
	}
	text.WriteString(rows.Render() + "\n")
	if status.CountsEvery > 1 && status.State != patch.StateClosed {
		fmt.Fprintf(&text, "Done moves after every %d instances of a group. `patchtide wave watch` asks the groups\n"+
			"themselves, which know of each.\n", status.CountsEvery)
	}
	for _, why := range reasons(status) {
		text.WriteString(why + "\n")
	}
	for _, decision := range status.Decisions {
		fmt.Fprintf(
			&text, "%s  %s by %s: %s\n", decision.At.Local().Format("15:04:05"), decision.Verb, decision.Actor, decision.Reason,
		)
	}
	for _, verb := range status.Verbs {
		fmt.Fprintf(&text, "  %s\n", Command(verb, status))
	}
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			for _, gap := range group.Gaps {
				fmt.Fprintf(&text, "NOT REACHED %s\n", gap.In(group.Group))
			}
		}
	}
	for _, left := range status.Stranded {
		fmt.Fprintf(&text, "STRANDED %s/%s %s: %s. %s\n", left.Account, left.Region, left.Resource, left.State, left.WhatToDo)
	}
	for _, problem := range status.NotTold {
		fmt.Fprintf(&text, "NOT TOLD %s\n", problem)
	}
	return text.String()
}

// reasons says why groups stand as they do, as far as what is asked does not say so already.
func reasons(status patch.WaveStatus) []string {
	var said []string
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			if group.Reason != "" && !strings.Contains(status.Awaiting, group.Reason) {
				said = append(said, group.Group+": "+group.Reason)
			}
		}
	}
	return said
}
