package screen

import (
	"errors"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
)

// dialog asks for what a verb needs, its reason above all: nothing is sent without one.
type dialog struct {
	verb    patch.Verb
	point   patch.Point       // where the wave stood when it was opened: what it asked then is what is answered
	labels  []string          // the verb's fields', then that of the reason
	fields  []textinput.Model // as many
	presets []string          // what each begins with; the first that is typed takes its place
	at      int               // the field that is typed into
	sending bool
	problem string
}

func newDialog(verb patch.Verb, status patch.WaveStatus) *dialog {
	d := &dialog{verb: verb, point: status.Point()}
	for _, field := range verb.Spec().Fields {
		preset := field.Preset
		if preset == string(patch.ScopeStage) {
			preset = string(brief.Of(status).Scope())
		}
		d.add(field.Label, preset)
	}
	d.add("Reason", "")
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
	d.labels, d.fields, d.presets = append(d.labels, label), append(d.fields, field), append(d.presets, value)
}

// focus lets the next keys go to one field.
func (d *dialog) focus(at int) tea.Cmd {
	d.fields[d.at].Blur()
	d.at = (at + len(d.fields)) % len(d.fields)
	return d.fields[d.at].Focus()
}

func (d *dialog) update(msg tea.Msg) (cmd tea.Cmd) {
	if _, typed := msg.(tea.KeyPressMsg); typed {
		d.problem = "" // of what was there before
	}
	if key, typed := msg.(tea.KeyPressMsg); typed && key.Text != "" && d.presets[d.at] != "" {
		if d.fields[d.at].Value() == d.presets[d.at] && d.fields[d.at].Position() == len(d.presets[d.at]) {
			d.fields[d.at].SetValue("")
		}
		d.presets[d.at] = ""
	}
	d.fields[d.at], cmd = d.fields[d.at].Update(msg)
	return cmd
}

// decision is what was typed.
func (d *dialog) decision(actor string) (patch.Decision, error) {
	typed := patch.Decision{Verb: d.verb, Actor: actor, Point: d.point}
	for i, field := range d.verb.Spec().Fields {
		if err := field.Set(&typed, d.typed(i)); err != nil {
			return typed, err
		}
	}
	typed.Reason = d.typed(len(d.fields) - 1)
	if typed.Reason == "" {
		return typed, errors.New("a reason is needed: the next on-call will want to know why")
	}
	return typed, typed.Check()
}

func (d *dialog) typed(at int) string { return strings.TrimSpace(d.fields[at].Value()) }

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
		decision, err := d.decision(m.o.Actor)
		if err != nil {
			d.problem = console.Said(err)
			return nil
		}
		d.problem, d.sending = "", true
		return func() tea.Msg { return toldMsg{m.o.Tell(m.ctx, decision)} }
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
		m.dialog.sending, m.dialog.problem = false, console.Said(err)
	default:
		m.said = m.last.Status.WaveID + " accepted " + m.dialog.verb.Words()
		m.dialog = nil
	}
}

// lines draws the dialog.
func (m *Model) dialogLines() []string {
	d := m.dialog
	of := m.last.Status.WaveID + "  by " + m.o.Actor
	if at := strings.Join(d.point.Flags(), " "); at != "" {
		of = at + "  " + of // a narrow screen cuts at the end
	}
	lines := []string{palette.Asks.Render(d.verb.Words()) + "  " + of, d.verb.Spec().Short}
	if other := m.last.Status.NotBy; other != "" && d.verb == patch.Approve {
		lines = append(lines, palette.Asks.Render("By somebody other than "+other+", who started the wave"))
	}
	if m.last.Status.Point() != d.point {
		lines = append(lines, palette.Bad.Render("The wave stands elsewhere by now; esc, look, and decide again"))
	}
	if !m.takes(d.verb) {
		lines = append(lines, palette.Bad.Render("The wave does not take it any more: it is "+m.last.Status.State.Words()))
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
