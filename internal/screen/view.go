package screen

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavelog"
)

// View draws the screen.
func (m *Model) View() tea.View {
	lines := m.fittingHead()
	above, below := beyond(m.body)
	lines = append(lines, m.rule("", more("↑", above), !m.onLog))
	lines = append(lines, strings.Split(m.body.View(), "\n")...)
	if m.log.Height() > 0 {
		lines = append(lines, m.rule("events", more("↓", below), m.onLog))
		lines = append(lines, strings.Split(m.log.View(), "\n")...)
		below = 0
	}
	lines = append(lines, m.rule("", more("↓", below), false))
	lines = append(lines, m.footLines()...)
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	if len(lines) > m.height {
		lines = append(lines[:m.height-1:m.height-1], lines[len(lines)-1]) // a tiny terminal keeps the keys
	}
	view := tea.NewView(strings.Join(lines, "\n"))
	view.AltScreen = true
	view.WindowTitle = m.last.Status.WaveID + ": " + m.last.Status.State.Words()
	return view
}

// short tells a terminal that has no lines to give away.
func (m *Model) short() bool { return m.height < 14 }

// mostSaid is how many lines a sentence above the wave may take; `?` has all of them.
func (m *Model) mostSaid() int {
	if m.short() {
		return 1
	}
	return m.height / 4
}

// leastLog is how many events are shown at the least, where there is room for any.
const leastLog = 4

// showsLog reports whether there is room for events: with the keys that they need.
func (m *Model) showsLog() bool {
	room := m.height - len(m.fittingHead()) - len(m.footWith(true)) - 3 // rules
	return !m.explains && room >= 2*leastLog
}

// layout gives each part its lines: the wave what it needs, up to two thirds, the events the rest.
func (m *Model) layout() {
	room := m.height - len(m.fittingHead()) - len(m.footLines()) - 3 // rules
	body := m.flowing(m.bodyLines(true))
	events := m.flowing(m.logLines())
	most := max(room-min(max(room/3, leastLog), max(len(events), 1)), 1)
	switch {
	case m.explains:
		body = m.flowing(m.helpLines())
	case len(body) > most && !m.every:
		body = m.flowing(m.bodyLines(false))
	}
	if m.explains {
		most = max(room+1, 1)
	}
	height := min(len(body), most)
	logs := room - height
	if !m.showsLog() {
		height, logs = max(room+1, 1), 0 // the rule above the events is not drawn
	}
	m.body.SetWidth(m.width)
	m.body.SetHeight(height)
	m.body.SetContentLines(body)
	if m.body.PastBottom() {
		m.body.GotoBottom()
	}
	atEnd := m.log.AtBottom()
	m.log.SetWidth(m.width)
	m.log.SetHeight(max(logs, 0))
	m.log.SetContentLines(events)
	if atEnd || !m.onLog || m.log.PastBottom() {
		m.log.GotoBottom()
	}
}

// headLines say which wave it is, where it stands, and what it asks.
func (m *Model) headLines() []string {
	status := m.last.Status
	style := palette.Busy
	switch {
	case status.Asks():
		style = palette.Asks
	case status.State == patch.StateClosed:
		style = palette.Of(status.Outcome).Style
	}
	of := "  plan " + status.Plan
	if status.PutsBack != "" {
		of = "  puts back " + status.PutsBack
	}
	stands := m.counted(m.count(status.Stages...)) + "  " + style.Render(brief.Stands(status)) + "  " +
		m.since(status.Since)
	if status.Window != nil && !status.Window.Closes.IsZero() {
		near := console.ClockNear(m.o.Now())
		stands += palette.Quiet.Render("  cutoff " + near(status.Window.Cutoff) + ", closes " + near(status.Window.Closes))
	}
	lines := []string{palette.Title.Render(status.WaveID) + of, stands}
	if !m.short() {
		lines = m.flowing(lines)
	}
	if status.ETA != nil && !m.short() && m.foretells() {
		lines = append(lines, wrapped(status.ETA.Told(m.o.Now(), console.About), m.width, 2)...)
	}
	if waited := m.o.Now().Sub(m.asked); m.trouble == nil && !m.asked.IsZero() && waited >= silentAfter {
		lines = append(lines, wrapped(palette.Asks.Render(fmt.Sprintf(
			"Asked %s ago, and no answer yet. What is shown is of %s.", waited.Round(1e9), console.Clock(m.last.At),
		)), m.width, m.mostSaid())...)
	}
	if m.trouble != nil {
		said := fmt.Sprintf(
			"No answer since %s (%s): %s. What is shown is as it was then.",
			console.Clock(m.last.At),
			max(m.o.Now().Sub(m.last.At), 0).Round(1e9),
			console.Said(m.trouble),
		)
		lines = append(lines, wrapped(palette.Bad.Render(said), m.width, m.mostSaid())...)
	}
	if status.Reason != "" {
		lines = append(lines, wrapped("Why: "+status.Reason, m.width, m.mostSaid())...)
	}
	if m.explains {
		return lines // all that is asked is said below
	}
	if status.Awaiting != "" {
		lines = append(lines, wrapped(palette.Asks.Render(brief.Says(status)+": "+status.Awaiting), m.width, m.mostSaid())...)
	}
	if silence := brief.Of(status).Silence(console.ClockNear(m.o.Now())); silence != "" && status.Until != nil {
		asked := []string{palette.Asks.Render(silence)}
		if !m.short() {
			asked = m.flowing(asked)
		}
		lines = append(lines, asked...)
	}
	return lines
}

// fittingHead are the lines of the head that leave room for a dialog with what is wrong in it: which wave it is stays.
func (m *Model) fittingHead() []string {
	head := m.headLines()
	if m.dialog == nil {
		return head
	}
	const rest = 3 // two rules and a line of the wave
	return head[:max(min(len(head), m.height-len(m.dialogLines())-rest), 1)]
}

// helpLines are all that is asked, and each verb: when to send it, its key and its command.
func (m *Model) helpLines() []string {
	status := m.last.Status
	told := m.document()
	lines := []string{"Nothing is asked."}
	if status.Awaiting != "" {
		lines = []string{status.Awaiting}
	}
	for _, said := range append([]string{told.Silence, told.Window}, told.Frozen...) {
		if said != "" {
			lines = append(lines, said)
		}
	}
	for _, choice := range told.Choices {
		lines = append(
			lines, "", palette.Key.Render(choice.Verb.Spec().Key)+" "+palette.Title.Render(choice.Verb.Words())+"  "+choice.When,
		)
		lines = append(lines, strings.Split(m.page().Command("  "+choice.Command, flowIndent), "\n")...)
	}
	return append(lines, "", palette.Key.Render("?")+" or "+palette.Key.Render("esc")+" goes back")
}

// flowing breaks lines that are too long for the screen at words: nothing of a reason is lost.
func (m *Model) flowing(lines []string) []string {
	page := m.page()
	var flowing []string
	for _, line := range lines {
		for _, short := range page.Lines(line, flowIndent) { // an ARN may be wider than the screen all the same
			flowing = append(flowing, strings.Split(ansi.Hardwrap(short, m.width, true), "\n")...)
		}
	}
	return flowing
}

func (m *Model) page() console.Page { return console.Page{Width: m.width, Terminal: true} }

// flowIndent is where a line that was broken goes on.
const flowIndent = 6

// footLines are the keys, or the dialog in their place.
func (m *Model) footLines() []string { return m.footWith(m.showsLog()) }

func (m *Model) footWith(log bool) []string {
	if m.dialog != nil {
		return m.dialogLines()
	}
	lines := m.keysWith(log)
	if m.said != "" {
		lines = append([]string{palette.Good.Render(m.said)}, lines...)
	}
	return lines
}

// logLines are the events, the newest last.
func (m *Model) logLines() []string {
	lines := make([]string, len(m.events))
	for i, event := range m.events {
		lines[i] = palette.Quiet.Render(console.Clock(event.At)) + "  " + event.Subject() + "  " + said(event)
	}
	return lines
}

// said is what happened, in the colour of what it means.
func said(event wavelog.Event) string {
	switch {
	case event.Asks, event.Kind == wavelog.OfPerson:
		return palette.Asks.Render(event.Said())
	case event.Outcome != "":
		return palette.Of(event.Outcome).Style.Render(event.Said())
	}
	return event.Said()
}

// beyond is how many lines there are above and below those that are shown.
func beyond(pane viewport.Model) (above, below int) {
	above = pane.YOffset()
	return above, max(pane.TotalLineCount()-above-pane.Height(), 0)
}

// more says that there are lines where the arrow shows; "": there are none.
func more(arrow string, lines int) string {
	if lines == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d more", arrow, lines)
}

// rule is a line between two parts; that of the part which the arrows scroll is bright. What it says at its end is of
// the wave, also where the events are below it.
func (m *Model) rule(title, end string, active bool) string {
	line := "──"
	if title != "" {
		line += " " + title + " "
	}
	if end != "" {
		end = " " + end + " ──"
	}
	line += strings.Repeat("─", max(m.width-ansi.StringWidth(line+end), 0)) + end
	if active {
		return palette.Busy.Render(line)
	}
	return palette.Quiet.Render(line)
}
