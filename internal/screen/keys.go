package screen

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
)

// verbOf is the verb of a key, if the wave takes it now.
func (m *Model) verbOf(key string) (verb patch.Verb, taken bool) {
	for _, verb := range m.last.Status.Verbs {
		if verb.Spec().Key == key {
			return verb, true
		}
	}
	return "", false
}

// noKey says why a key does nothing; "": it moves what is shown, or is none that people type by mistake.
func (m *Model) noKey(key string) string {
	for _, verb := range patch.Verbs() {
		if verb.Spec().Key == key {
			return m.last.Status.WaveID + " is " + m.last.Status.State.Words() + " and does not take " + verb.Words() + " now"
		}
	}
	return ""
}

func (m *Model) takes(verb patch.Verb) bool { return slices.Contains(m.last.Status.Verbs, verb) }

// keysWith name the keys: first the wave's verbs, then the screen's own, where there are events with those for them.
func (m *Model) keysWith(log bool) []string {
	var all []string
	for _, verb := range m.last.Status.Verbs {
		all = append(all, palette.Key.Render(verb.Spec().Key)+" "+verb.Words())
	}
	scrolls := "the wave"
	if m.onLog && log {
		scrolls = "the events"
	}
	all = append(all, palette.Key.Render("↑↓")+" scroll "+scrolls)
	if log {
		all = append(all, palette.Key.Render("tab")+" the other")
	}
	all = append(
		all,
		palette.Key.Render("i")+" instances", palette.Key.Render("?")+" what may be sent", palette.Key.Render("q")+" leave",
	)
	if m.short() {
		return []string{strings.Join(all, between)}
	}
	lines := []string{all[0]}
	for _, one := range all[1:] {
		if last := &lines[len(lines)-1]; ansi.StringWidth(*last+between+one) <= m.width {
			*last += between + one
		} else {
			lines = append(lines, one)
		}
	}
	return lines
}

const between = " · "

// words is a name of ours as people say it.
