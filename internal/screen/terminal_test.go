package screen

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/situations"
	"github.com/patchtide/patchtide/internal/terminaltest"
)

// sizes are terminals that people have: a phone's or a quarter of a screen, what terminals begin with, and a whole one.
var sizes = []tea.WindowSizeMsg{{Width: 60, Height: 20}, {Width: 80, Height: 24}, {Width: 120, Height: 40}}

// TestEverySituationOnATerminal runs the screen on pseudo-terminals of each size, in every situation in which a wave is
// watched, and keeps the pictures: what a person sees there is reviewed like code.
func TestEverySituationOnATerminal(t *testing.T) {
	for name, s := range situations.All() {
		if s.Status.State == patch.StateClosed {
			continue // the screen ends with its wave
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var pictures strings.Builder
			for _, size := range sizes {
				fmt.Fprintf(&pictures, "%d columns, %d lines:\n%s\n", size.Width, size.Height, onTerminal(t, s, size))
			}
			golden := filepath.Join("testdata", "terminal", strings.NewReplacer(" ", "-", ",", "").Replace(name)+".txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(pictures.String()), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), pictures.String())
		})
	}
}

// onTerminal watches a situation on a terminal of that size, asks what may be sent, goes back and leaves. It returns
// what was seen first.
func onTerminal(t *testing.T, s situations.Situation, size tea.WindowSizeMsg) string {
	t.Helper()
	o := Options{
		First: Look{At: situations.At, Status: s.Status, Details: console.Details{
			Waits: s.Waits, Groups: s.Groups, Instances: s.Instances,
		}},
		Actor: "ann", Now: func() time.Time { return situations.At.Add(25 * time.Second) },
	}
	next := o.First
	next.Err = s.Away
	o.Look = func(context.Context) Look { return next }
	drawn := New(t.Context(), o) // the same in memory
	drawn.Update(size)
	drawn.Update(lookMsg(next))

	terminal := terminaltest.Open(t, size.Width, size.Height)
	program := tea.NewProgram(
		New(t.Context(), o), tea.WithContext(t.Context()), tea.WithInput(terminal.Program), tea.WithOutput(terminal.Program),
		tea.WithoutSignalHandler(),
	)
	ended := make(chan error, 1)
	go func() {
		_, err := program.Run()
		ended <- err
	}()
	seen := shows(terminal, drawn)
	drawn.Update(tea.KeyPressMsg{Code: '?', Text: "?"})
	terminal.Type("?")
	shows(terminal, drawn)
	terminal.Type("?")
	drawn.Update(tea.KeyPressMsg{Code: '?', Text: "?"})
	shows(terminal, drawn)
	terminal.Type("q")
	require.NoError(t, <-ended)
	terminal.IsWhole()
	return seen
}

// shows waits until a terminal shows what a model draws, whose spinner stands still.
func shows(terminal *terminaltest.Terminal, model *Model) string {
	want := still(ansi.Strip(model.View().Content))
	seen := ""
	terminal.Until(func(shown string) bool {
		seen = still(shown)
		return seen == want
	}, func() string { return "the terminal does not show\n" + want })
	return seen
}

// still is a picture whose spinner stands still, without spaces at the ends of its lines nor empty lines at its own.
func still(picture string) string {
	lines := strings.Split(picture, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(strings.Map(func(r rune) rune {
			if r >= '⠀' && r <= '⣿' {
				return '⠋'
			}
			return r
		}, line), " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}
