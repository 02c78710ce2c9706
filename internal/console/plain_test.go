package console

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Whoever writes a reason, a tag or a machine's name must not write on other people's terminals.
func TestOtherPeoplesTextIsShownAndNotObeyed(t *testing.T) {
	const evil, shown = "a\x1b]0;pwned\a\n\rSTRANDED b\u202e", "a]0;pwned  STRANDED b"
	status := heldStatus()
	status.Reason, status.Awaiting, status.Plan = evil, evil, evil
	status.Decisions[0].Reason, status.Stranded[0].WhatToDo = evil, evil
	status.Stages[0].Groups[0].Group = evil
	status.NotTold = []string{evil}
	preview := couldRun()
	preview.Notes, preview.Stages[0].Name = []string{evil}, evil
	instances := []patch.InstanceResult{{ID: "i-0a", Reason: evil}}
	details := Details{Groups: map[string]patch.GroupStatus{"": {Instances: instances}}}
	report := sample()
	report.Stranded = []patch.Stranded{{WhatToDo: evil}}
	for name, draw := range map[string]func(*bytes.Buffer) error{
		"status": func(out *bytes.Buffer) error {
			out.WriteString(Status(status, patch.Waits{On: []patch.Wait{{Failure: evil}}}, Page{}))
			return nil
		},
		"plan": func(out *bytes.Buffer) error { return PrintPlan(out, nil, preview) },
		"findings": func(out *bytes.Buffer) error {
			return Findings(out, nil, []Finding{{What: evil, Says: evil, Mend: evil}})
		},
		"table": func(out *bytes.Buffer) error {
			out.WriteString(Page{}.Table([]string{"A"}, [][]string{{evil}}))
			return nil
		},
		"progress": func(out *bytes.Buffer) error { New(out, nil, time.Now).Update(View(status, details)); return nil },
		"said":     func(out *bytes.Buffer) error { New(out, nil, time.Now).Say("%s", evil); return nil },
		"summary":  func(out *bytes.Buffer) error { New(out, nil, time.Now).Summary(report); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, draw(&out))
			require.Contains(t, out.String(), strings.ReplaceAll(shown, "  ", " "))
			for _, obeyed := range []string{"\x1b", "\a", "\r", "\u202e", "\nSTRANDED b"} {
				require.NotContains(t, out.String(), obeyed)
			}
		})
	}
}

// A log that is read later says when things were, not how long after somebody began to look.
func TestLinesByTheClock(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	New(&out, nil, func() time.Time { return at }).ByClock().Say("it answers again")
	require.Equal(t, Clock(at)+"  it answers again\n", out.String())
}
