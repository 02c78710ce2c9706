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
	doc := brief.Write(status, waits, Moment, Clock)
	s := statusText{page: page}
	s.line(0, "%s", headOf(status, doc))
	if doc.Why != "" {
		s.line(5, "Why: %s", doc.Why)
	}
	if doc.Asks != "" {
		said := brief.Says(status)
		s.line(len(said)+2, "%s: %s", said, doc.Asks)
	}
	if doc.Silence != "" {
		s.line(0, "%s", doc.Silence)
	}
	if doc.Window != "" {
		s.line(0, "%s", doc.Window)
	}
	for _, frozen := range doc.Frozen {
		s.line(2, "%s", frozen)
	}
	for i, about := range doc.Case {
		if i == 0 {
			s.line(0, "What it is about:")
		}
		s.line(4, "  %s", about)
	}
	s.table(status)
	for _, why := range doc.Groups {
		s.line(2, "%s", why)
	}
	for i, failure := range doc.Failures {
		if i == 0 {
			s.line(0, "What failed:")
		}
		s.line(4, "  %s", failure)
	}
	for i, ran := range doc.Hooks {
		if i == 0 {
			s.line(0, "Hooks:")
		}
		s.line(4, "  %s", ran)
	}
	for i, wait := range doc.Waits {
		if i == 0 {
			s.line(0, "It waits for:")
		}
		s.line(4, "  %s", wait)
	}
	for _, decision := range status.Decisions {
		s.line(2, "%s  %s by %s: %s", Clock(decision.At), decision.What(), decision.Actor, decision.Reason)
	}
	if doc.Quarantine != "" {
		s.line(2, "%s", doc.Quarantine)
	}
	for i, choice := range doc.Choices {
		if i == 0 {
			s.line(0, "What may be sent:")
		}
		s.line(4, "  %s:", choice.When)
		s.text.WriteString(page.Command("    "+plain.Line(choice.Command), 6) + "\n")
	}
	for _, worry := range doc.Worries {
		s.line(2, "%s %s", strings.ToUpper(worry.Kind), worry.What)
	}
	return s.text.String()
}

// headOf says which wave it is and where it stands.
func headOf(status patch.WaveStatus, doc brief.Document) string {
	head := status.WaveID
	if status.Plan != "" { // a roll back whose wave left no evidence has none
		head += "  plan " + status.Plan
	}
	if status.PutsBack != "" {
		head += "  puts back " + status.PutsBack
	}
	head += "  " + doc.Stands
	if status.State == patch.StateOnHold && status.Hold > 0 {
		head += fmt.Sprintf("  hold %d", status.Hold)
	}
	if status.State == patch.StateClosed {
		return head + "  at " + Moment(status.Since)
	}
	return head + "  since " + Clock(status.Since)
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
			now := group.Stands()
			for i, one := range group.Now {
				now += []string{": ", ", "}[min(i, 1)] + one.ID + " " + one.Step.Told(one.Undoing)
			}
			rows = append(rows, []string{stage.Name, group.Group, now, group.Count().String()})
		}
	}
	if len(rows) > 0 { // one that was refused, or has not looked yet, has none
		s.text.WriteString(s.page.Table([]string{"Stage", "Group", "Now", "Instances"}, rows) + "\n")
	}
	if status.CountsEvery > 1 && status.State != patch.StateClosed {
		s.line(0, "They are counted after every %d instances of a group. `patchtide wave watch` asks the groups themselves, "+
			"which know of each.", status.CountsEvery)
	}
}
