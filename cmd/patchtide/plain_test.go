package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/terminaltest"
)

// Who and why are sent as one line of plain text, by every command that somebody answers for.
func TestActorAndReasonOfEveryCommandArePlain(t *testing.T) {
	commands := 0
	for _, cmd := range ours(newRoot()) {
		for _, name := range []string{"actor", "reason"} {
			flag := cmd.LocalFlags().Lookup(name)
			if flag == nil {
				continue
			}
			commands++
			require.NoError(t, flag.Value.Set("a\x1b]0;pwned\a\nb"))
			require.Equal(t, "a]0;pwned b", flag.Value.String(), "%s --%s", cmd.CommandPath(), name)
		}
	}
	require.Greater(t, commands, 30)
}

func TestALineIsShownAndNotObeyed(t *testing.T) {
	var out bytes.Buffer
	line(&out, "  refused: %s", "a\x1b[2J\nb\r")
	require.Equal(t, "  refused: a[2J b\n", out.String())
}

// At a terminal times are of its zone, and with --utc in UTC; where no terminal reads them they are in UTC.
func TestTimesOfATerminal(t *testing.T) {
	t.Cleanup(func() { console.TellUTC(false) })
	for _, c := range []struct {
		name     string
		terminal bool
		args     []string
		utc      bool
	}{
		{"a terminal", true, nil, false},
		{"a terminal that wants UTC", true, []string{"--utc"}, true},
		{"no terminal", false, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := newRoot()
			root.SetArgs(append([]string{"version"}, c.args...))
			root.SetOut(&bytes.Buffer{})
			if c.terminal {
				root.SetOut(terminaltest.Open(t, 80, 24).Program)
			}
			require.NoError(t, root.Execute())
			require.Equal(t, c.utc, console.TellsUTC())
			at := time.Date(2026, 11, 22, 11, 0, 0, 0, time.FixedZone("JST", 9*60*60))
			zone := at.Local()
			if c.utc {
				zone = at.UTC()
			}
			require.Equal(t, zone.Format("15:04:05 MST"), console.Clock(at))
		})
	}
}
