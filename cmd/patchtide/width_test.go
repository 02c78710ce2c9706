package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/schedules"
	"github.com/patchtide/patchtide/internal/terminaltest"
	"github.com/patchtide/patchtide/workflows"
)

// kept is a terminal that keeps what is written to it as it was written.
type kept struct {
	*os.File
	written bytes.Buffer
}

func (k *kept) Write(text []byte) (int, error)       { return k.written.Write(text) }
func (k *kept) WriteString(text string) (int, error) { return k.written.WriteString(text) }

// Nothing that an operator's command prints is wider than the terminal, and no word of it is broken.
func TestWhatIsPrintedFitsTheTerminal(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	path := windowed(t, `{schedule: "cron(30 1 ? * SUN *)", time_zone: America/New_York, duration: 4h, cutoff: 1h}`)
	loaded, err := config.Load(path, nil)
	require.NoError(t, err)
	window, _, err := loaded.Windows("web")
	require.NoError(t, err)
	quarantined := &workflows.QuarantineResult{
		Instances: []workflows.Quarantined{{
			Account: "production", Region: "ap-northeast-1", Group: "web", Instance: "i-4333dc0704d74e937", Since: at,
			Until: &at, WaveID: "wave-web-20261122-020000", Why: "the replacement of its root volume ended as " +
				"failed-detached, and its return to service: gave up waiting: it is unhealthy in target group web",
		}},
		Problems: []patch.Stranded{{
			Account: "staging", Region: "ap-northeast-1", Resource: "i-d41de767ba0e6bafb", State: "its tag cannot be trusted",
			WhatToDo: "find out who wrote it, and take the tag off once it is known what was changed",
		}},
	}
	states := []schedules.State{
		{
			Plan: "web", Exists: true, Next: []time.Time{at, at.Add(168 * time.Hour)},
			Warning: "the window opens twice when the clocks are put back",
		},
		{Plan: "api", Exists: true, Paused: true, Note: "paused by alice: there is a sale", Next: []time.Time{at}},
		{Plan: "background-jobs"},
	}
	waves := []listed{
		{WaveID: "wave-web-20261122-020000", Plan: "web", State: "on_hold", Stage: "production", Started: at, Frozen: true},
		{
			WaveID: "roll-back-wave-background-jobs-20261122-020000", Plan: "background-jobs", State: "closed",
			Outcome: "rolled_back", Started: at, Closed: &at,
		},
	}
	for name, printed := range map[string]func(io.Writer){
		"quarantine list":  func(out io.Writer) { require.NoError(t, printQuarantine(out, quarantined)) },
		"schedule list":    func(out io.Writer) { require.NoError(t, printStates(out, states)) },
		"schedule preview": func(out io.Writer) { printPreview(out, previewOf("web", window, at, 3), false) },
		"wave list":        func(out io.Writer) { require.NoError(t, listFilter{}.print(out, waves)) },
	} {
		for _, width := range []int{60, 80, 120} {
			t.Run(fmt.Sprintf("%s at %d", name, width), func(t *testing.T) {
				out := &kept{File: terminaltest.Open(t, width, 24).Program}
				printed(out)
				text := out.written.String()
				require.NotEmpty(t, text)
				for line := range strings.Lines(text) {
					require.LessOrEqual(t, ansi.StringWidth(strings.TrimRight(line, "\n")), width, text)
				}
				var whole bytes.Buffer
				printed(&whole)
				lined := func(r rune) bool { return strings.ContainsRune(" |+-─│╭╮╰╯├┤┬┴┼\n", r) }
				words := func(text string) []string { return strings.FieldsFunc(text, lined) }
				for _, word := range words(whole.String()) {
					if word != "Wave" && word != "Opens" { // the names of what begins a block
						require.Contains(t, words(text), word, text)
					}
				}
			})
		}
	}
}

// A paused plan opens when it is let go on: its first opening is told, too.
func TestScheduleListOfAPausedPlan(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.Local)
	var out bytes.Buffer
	require.NoError(t, printStates(&out, []schedules.State{
		{
			Plan: "web", Exists: true, Paused: true, Note: "paused by alice: sale",
			Next: []time.Time{at, at.Add(24 * time.Hour)},
		},
	}))
	zone := at.Format("MST")
	require.Equal(t, "web: paused: paused by alice: sale\n"+
		"  starts no wave at 2026-11-22 02:00 "+zone+"\n  starts no wave at 2026-11-23 02:00 "+zone+"\n", out.String())
}
