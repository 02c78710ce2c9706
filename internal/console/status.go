package console

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// Status is a wave's status as text: where it stands, what it asks for and what may be answered, and one row a group.
// It holds no colours, so that it reads the same in a terminal, a log and a ticket. waits may be the zero value.
func Status(status patch.WaveStatus, waits patch.Waits, page Page) string {
	s := statusText{page: page}
	s.line(0, "%s", headOf(status))
	if status.Reason != "" {
		s.line(5, "Why: %s", status.Reason)
	}
	if status.Awaiting != "" {
		s.line(9, "It asks: %s", status.Awaiting)
	}
	told := brief.Of(status)
	if silence := told.Silence(Moment); silence != "" {
		s.line(0, "%s", silence)
	}
	s.table(status)
	for _, why := range reasons(status) {
		s.line(2, "%s", why)
	}
	for i, wait := range WaitedFor(status, waits, Clock) {
		if i == 0 {
			s.line(0, "It waits for:")
		}
		s.line(4, "  %s", wait)
	}
	for _, decision := range status.Decisions {
		s.line(2, "%s  %s by %s: %s", Clock(decision.At), spaced(string(decision.Verb)), decision.Actor, decision.Reason)
	}
	if quarantine := told.Quarantine(); quarantine != "" {
		s.line(2, "%s", quarantine)
	}
	for i, choice := range told.Choices() {
		if i == 0 {
			s.line(0, "What may be sent:")
		}
		s.line(4, "  %s:", choice.When)
		s.text.WriteString(page.Command("    "+plain.Line(choice.Command), 6) + "\n")
	}
	s.worries(status)
	return s.text.String()
}

// headOf says which wave it is and where it stands.
func headOf(status patch.WaveStatus) string {
	head := status.WaveID
	if status.Plan != "" { // a roll back whose wave left no evidence has none
		head += "  plan " + status.Plan
	}
	if status.PutsBack != "" {
		head += "  puts back " + status.PutsBack
	}
	head += "  " + waveState(status)
	if status.Paused() && status.State != patch.StatePaused {
		head += ", paused"
	}
	if status.Hold > 0 && status.State != patch.StateClosed {
		head += fmt.Sprintf("  hold %d", status.Hold)
	}
	if status.State != patch.StateClosed {
		head += "  since " + Clock(status.Since)
	}
	return head
}

type statusText struct {
	text strings.Builder
	page Page
}

// line adds a line that goes on behind so many cells where it is too long.
func (s *statusText) line(indent int, format string, words ...any) {
	s.text.WriteString(s.page.Wrap(plain.Line(fmt.Sprintf(format, words...)), indent) + "\n")
}

func (s *statusText) table(status patch.WaveStatus) {
	var rows [][]string
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			now := spaced(string(group.Phase))
			if group.Now != nil {
				now += ": " + group.Now.ID + " " + group.Now.Step.Told(group.Now.Undoing)
			}
			done := fmt.Sprintf("%d of %d", group.Done, group.Total)
			if failed := group.FailedCount(); failed > 0 {
				done += fmt.Sprintf(", %d failed", failed)
			}
			rows = append(rows, []string{stage.Name, group.Group, now, done})
		}
	}
	if len(rows) > 0 { // one that was refused, or has not looked yet, has none
		s.text.WriteString(s.page.Table([]string{"Stage", "Group", "Now", "Done"}, rows) + "\n")
	}
	if status.CountsEvery > 1 && status.State != patch.StateClosed {
		s.line(0, "Done moves after every %d instances of a group. `patchtide wave watch` asks the groups themselves, which "+
			"know of each.", status.CountsEvery)
	}
}

// worries are what nobody may miss.
func (s *statusText) worries(status patch.WaveStatus) {
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			for _, gap := range group.Gaps {
				s.line(2, "NOT REACHED %s", gap.In(group.Group))
			}
		}
	}
	for _, left := range status.Stranded {
		s.line(2, "STRANDED %s/%s %s: %s. %s", left.Account, left.Region, left.Resource, left.State, left.WhatToDo)
	}
	for _, problem := range status.NotTold {
		s.line(2, "NOT TOLD %s", problem)
	}
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
