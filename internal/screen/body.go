package screen

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
)

// bodyLines is the wave: stages, their groups, and each instance with its step and since when. Where all of them would
// not fit, stages that ended well are one line, and instances that wait or are well are counted, unless every one is
// asked for.
func (m *Model) bodyLines(every bool) []string {
	doc := m.document()
	var lines []string
	for _, frozen := range doc.Frozen {
		lines = append(lines, palette.Asks.Render(frozen))
	}
	lines = append(lines, m.waitsOfTheWave()...)
	for i, about := range doc.Case {
		if i == 0 {
			lines = append(lines, palette.Title.Render("What it is about"))
		}
		lines = append(lines, "  "+about)
	}
	for _, stage := range m.last.Status.Stages {
		lines = append(lines, m.stageLine(stage))
		if !every && stage.Outcome == patch.Succeeded && stage.Name != m.last.Status.Stage {
			continue
		}
		for _, group := range stage.Groups {
			lines = append(lines, m.groupLine(group))
			lines = append(lines, m.waitLines(2, group.WorkflowID)...)
			lines = append(lines, m.instanceLines(group, every)...)
		}
	}
	if doc.Quarantine != "" {
		lines = append(lines, palette.Asks.Render(doc.Quarantine))
	}
	for _, worry := range doc.Worries {
		style := palette.Asks
		if worry.Kind == brief.WorryStranded {
			style = palette.Bad
		}
		lines = append(lines, style.Render(strings.ToUpper(worry.Kind))+" "+worry.What)
	}
	return lines
}

// document is what is told of the wave; what it waits for stands beside whoever waits.
func (m *Model) document() brief.Document {
	waits := m.last.Details.Waits
	waits.On, waits.NotAsked = nil, 0
	return brief.Write(m.last.Status, waits, console.Moment, console.Clock)
}

func (m *Model) stageLine(stage patch.StageStatus) string {
	line := palette.Title.Render(fmt.Sprintf("%-14s", stage.Name)) + " " + m.counted(m.count(stage))
	if stage.Outcome != "" {
		mark := palette.Of(stage.Outcome)
		line += "  " + mark.Style.Render(mark.Sign+" "+stage.Outcome.Words())
	}
	if stage.ETA != nil && m.foretells() {
		line += palette.Quiet.Render("  " + stage.ETA.Told(m.o.Now(), console.About))
	}
	return line
}

func (m *Model) groupLine(group patch.GroupCounts) string {
	phase, style := group.Stands(), palette.Quiet
	switch group.Phase {
	case patch.GroupHeld:
		style = palette.Asks
	case patch.GroupPatching, patch.GroupRollingBack:
		style = palette.Busy
	case patch.GroupDone:
		if mark := palette.Of(group.Outcome); group.Outcome != "" {
			phase, style = mark.Sign+" "+phase, mark.Style
		}
	}
	line := fmt.Sprintf("  %s  %s  %s", group.Group, m.counted(m.countOf(group)), style.Render(phase))
	if group.Reason != "" && !strings.Contains(m.last.Status.Awaiting, group.Reason) { // which stands above
		line += palette.Quiet.Render(": " + group.Reason)
	}
	if group.ETA != nil && m.foretells() {
		line += palette.Quiet.Render("  " + group.ETA.Told(m.o.Now(), console.About))
	}
	return line
}

// instanceLines are a group's instances. A group that has not answered yet has none.
func (m *Model) instanceLines(group patch.GroupCounts, every bool) []string {
	status := m.last.Details.Groups[group.WorkflowID]
	under, workflows := map[string]patch.InstanceStatus{}, map[string]string{}
	for _, id := range status.Current {
		if instance, known := m.last.Details.Instances[id]; known && instance.Step != patch.StepEnded {
			under[instance.ID], workflows[instance.ID] = instance, id
		}
	}
	var lines []string
	well, waiting := patch.Tally{}, 0
	for _, instance := range status.Stands(m.last.Details.Instances, m.last.Status.PutsBack != "") {
		now, isUnder := under[instance.ID]
		mark := palette.Of(instance.Outcome)
		switch {
		case isUnder:
			lines = append(
				lines,
				fmt.Sprintf(
					"    %s %-19s  %s  %s", palette.Busy.Render(m.spin()), instance.ID,
					palette.Busy.Render(now.Step.Told(now.Undoing)), m.since(now.Since),
				),
			)
			if now.Undoing && now.Result.Reason != "" {
				lines = append(lines, "      "+strings.Join(strings.Fields(now.Result.Reason), " "))
			}
			lines = append(lines, m.waitLines(4, workflows[instance.ID])...)
		case instance.Outcome == patch.NotStarted && !every:
			waiting++
		case instance.Outcome == patch.NotStarted:
			stands := m.unbegun(group, "waits for its turn")
			lines = append(lines, palette.Quiet.Render(fmt.Sprintf("    · %-19s  %s", instance.ID, stands)))
		case !every && (instance.Outcome == patch.Patched || instance.Outcome == patch.AlreadyCompliant):
			well[instance.Outcome]++
		default:
			line := fmt.Sprintf(
				"    %s %-19s  %s", mark.Style.Render(mark.Sign), instance.Called(), mark.Style.Render(instance.Outcome.Words()),
			)
			if !instance.Ended.IsZero() {
				line += palette.Quiet.Render("  at " + console.Clock(instance.Ended))
			}
			if instance.Reason != "" {
				line += ": " + strings.Join(strings.Fields(instance.Reason), " ")
			}
			lines = append(lines, line)
		}
	}
	var rest []string
	for _, outcome := range []patch.Outcome{patch.Patched, patch.AlreadyCompliant} {
		if well[outcome] > 0 {
			rest = append(rest, fmt.Sprintf("%d %s", well[outcome], outcome.Words()))
		}
	}
	if waiting > 0 {
		rest = append(rest, fmt.Sprintf("%d %s", waiting, m.unbegun(group, "waiting")))
	}
	if len(rest) > 0 {
		lines = append(lines, palette.Quiet.Render("    "+strings.Join(rest, ", ")))
	}
	for _, told := range group.LeftOut {
		lines = append(lines, palette.Quiet.Render("    · "+told))
	}
	return lines
}

// unbegun is how an instance stands that was not begun: it has its turn yet, or will have none.
func (m *Model) unbegun(group patch.GroupCounts, waiting string) string {
	status := m.last.Status
	over := group.Phase == patch.GroupDone || status.State == patch.StateAborting || status.State == patch.StateClosed ||
		status.State == patch.StateRollingBack && status.PutsBack == "" // a roll back begins each that it puts back
	if over {
		return "not begun"
	}
	return waiting
}

// foretells reports whether an end can be foretold: not of what is frozen until somebody lifts that.
func (m *Model) foretells() bool { return len(m.last.Details.Waits.Frozen) == 0 }

// count is how far the instances of stages have come.
func (m *Model) count(stages ...patch.StageStatus) (count patch.Count) {
	for _, stage := range stages {
		for _, group := range stage.Groups {
			count = count.Plus(m.countOf(group))
		}
	}
	return count
}

// countOf is how far a group has come: by its own word where it has answered, since a very large wave does not hear of
// each instance (patch.ReportsEvery).
func (m *Model) countOf(group patch.GroupCounts) patch.Count {
	status, answered := m.last.Details.Groups[group.WorkflowID]
	if answered {
		group.Tally, group.Total = patch.TallyOf(status.Instances), len(status.Instances)
		group.Patched = group.Tally.Patched()
	}
	return group.Count()
}

// counted is a bar and its numbers; a group that nobody has looked into has none yet.
func (m *Model) counted(count patch.Count) string {
	width := 16
	if m.width < 80 {
		width = 6 // names and reasons need the cells more
	}
	full := count.Over() * width / max(count.Total, 1)
	bar := palette.Good.Render(strings.Repeat("█", full)) + palette.Quiet.Render(strings.Repeat("░", width-full))
	switch {
	case count.Total == 0 && m.last.Status.PutsBack != "":
		return bar + palette.Quiet.Render(" not begun")
	case count.Total == 0:
		return bar + palette.Quiet.Render(" not counted yet")
	}
	return bar + " " + count.String()
}

func (m *Model) spin() string { return palette.Spin(m.frame) }

// since is a moment and how long ago it is by this machine's clock, which may be ahead of Temporal's.
func (m *Model) since(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	ago := cmp.Or(max(m.o.Now().Sub(at), 0).Round(time.Second).String(), "0s")
	return palette.Quiet.Render("since " + console.Clock(at) + " (" + ago + ")")
}
