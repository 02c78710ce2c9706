package screen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// dialog asks for what a verb needs, its reason above all: nothing is sent without one.
type dialog struct {
	verb    patch.Verb
	labels  []string
	fields  []textinput.Model
	at      int // the field that is typed into
	sending bool
	problem string
}

// What is asked for beside the reason.
const (
	askScope  = "Scope (stage or wave)"
	askGroups = "Groups at once"
	askUntil  = "Until, as 2026-11-22T06:00:00+09:00"
	askReason = "Reason"
)

func newDialog(verb patch.Verb) *dialog {
	d := &dialog{verb: verb}
	switch verb {
	case patch.RollBack:
		d.add(askScope, string(patch.ScopeStage))
	case patch.SetConcurrency:
		d.add(askGroups, "")
	case patch.ExtendWindow:
		d.add(askUntil, "")
	}
	d.add(askReason, "")
	return d
}

func (d *dialog) add(label, value string) {
	field := textinput.New()
	field.Prompt = ""
	field.CharLimit = 500
	styles := field.Styles()
	styles.Cursor.Blink = false
	field.SetStyles(styles)
	field.SetValue(value)
	d.labels, d.fields = append(d.labels, label), append(d.fields, field)
}

// focus lets the next keys go to one field.
func (d *dialog) focus(at int) tea.Cmd {
	d.fields[d.at].Blur()
	d.at = (at + len(d.fields)) % len(d.fields)
	return d.fields[d.at].Focus()
}

func (d *dialog) update(msg tea.Msg) (cmd tea.Cmd) {
	d.fields[d.at], cmd = d.fields[d.at].Update(msg)
	return cmd
}

// request is what was typed.
func (d *dialog) request(actor string) (request workflows.VerbRequest, err error) {
	request.Actor = actor
	for i, label := range d.labels {
		value := strings.TrimSpace(d.fields[i].Value())
		switch label {
		case askScope:
			request.Scope = patch.Scope(value)
		case askGroups:
			if request.MaxParallelGroups, err = strconv.Atoi(value); err != nil {
				return request, fmt.Errorf("%q is no number", value)
			}
		case askUntil:
			request.Until = value
		case askReason:
			request.Reason = value
		}
	}
	if request.Reason == "" {
		return request, errors.New("a reason is needed: the next on-call will want to know why")
	}
	return request, request.Validate(d.verb)
}

// answer takes a key while the dialog is open.
func (m *Model) answer(key tea.KeyPressMsg) tea.Cmd {
	d := m.dialog
	if d.sending {
		return nil // what was sent cannot be called back
	}
	switch key.String() {
	case "esc":
		m.dialog = nil
	case "tab", "down":
		return d.focus(d.at + 1)
	case "shift+tab", "up":
		return d.focus(d.at - 1)
	case "enter":
		if d.at < len(d.fields)-1 {
			return d.focus(d.at + 1)
		}
		request, err := d.request(m.o.Actor)
		if err != nil {
			d.problem = plain(err)
			return nil
		}
		d.problem, d.sending = "", true
		return func() tea.Msg { return toldMsg{m.o.Tell(m.ctx, d.verb, request)} }
	default:
		return d.update(key)
	}
	return nil
}

// told takes the wave's answer. A refusal leaves the dialog open, with what was typed.
func (m *Model) told(err error) {
	switch {
	case m.dialog == nil:
	case err != nil:
		m.dialog.sending, m.dialog.problem = false, plain(err)
	default:
		m.said = m.last.Status.WaveID + " takes " + words(m.dialog.verb)
		m.dialog = nil
	}
}

// lines draws the dialog.
func (m *Model) dialogLines() []string {
	d := m.dialog
	lines := []string{palette.Asks.Render(words(d.verb)) + "  " + m.last.Status.WaveID + "  by " + m.o.Actor}
	if m.o.Help != nil {
		lines = append(lines, m.o.Help(d.verb))
	}
	if !m.takes(d.verb) {
		lines = append(lines, palette.Bad.Render("The wave does not take it any more: it is "+words(m.last.Status.State)))
	}
	widest := 0
	for _, label := range d.labels {
		widest = max(widest, len(label))
	}
	for i, label := range d.labels {
		lines = append(lines, fmt.Sprintf("%-*s  %s", widest, label, d.fields[i].View()))
	}
	if d.problem != "" {
		lines = append(lines, wrapped(palette.Bad.Render(d.problem), m.width, 2)...)
	}
	if d.sending {
		return append(lines, palette.Busy.Render(m.spin()+" telling the wave"))
	}
	return append(lines, palette.Key.Render("enter")+" sends it · "+palette.Key.Render("esc")+" does not")
}
