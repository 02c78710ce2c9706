package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
)

// Whoever is called at night must see until when there is time, and what follows; and no reason twice.
func TestStatusOfAHold(t *testing.T) {
	until := time.Date(2026, 11, 24, 3, 30, 0, 0, time.Local)
	status := patch.WaveStatus{
		WaveID: "wave-web-1", Plan: "web", State: patch.StateOnHold, Since: until.Add(-time.Hour),
		Awaiting: "production/eu/web: the agent is silent. Send retry or abort.",
		Verbs:    []patch.Verb{patch.Retry}, Otherwise: patch.RollBack, Until: &until,
		Stages: []patch.StageStatus{{Name: "production", Groups: []patch.GroupCounts{
			{Group: "production/eu/web", Phase: patch.GroupHeld, Reason: "the agent is silent"},
			{Group: "production/eu/api", Phase: patch.GroupPaused, Reason: "waits beside web"},
		}}},
	}
	text := console.Status(status, patch.Waits{}, console.Page{Width: 80, Terminal: true})
	require.Contains(t, text, "If nobody answers by 2026-11-24 03:30:00 "+until.Format("MST")+", roll back is done.")
	require.Contains(t, strings.Join(strings.Fields(text), " "), "roll back is done. It puts back no instance.")
	require.Contains(t, text, "production/eu/api: waits beside web\n")
	require.Equal(t, 1, strings.Count(text, "the agent is silent"), text)
	for _, line := range strings.Split(text, "\n") {
		require.LessOrEqual(t, ansi.StringWidth(line), 80, line)
	}
}

// In a very large wave the counts lag behind the groups: whoever reads them must know.
func TestStatusTellsThatCountsLag(t *testing.T) {
	status := patch.WaveStatus{WaveID: "wave-1", Plan: "web", State: patch.StateRunning, CountsEvery: 5}
	require.Contains(t, console.Status(status, patch.Waits{}, console.Page{}),
		"They are counted after every 5 instances of a group.")
	status.State = patch.StateClosed
	require.NotContains(t, console.Status(status, patch.Waits{}, console.Page{}), "counted after every", "all have ended and are counted")
	status.State, status.CountsEvery = patch.StateRunning, 0
	require.NotContains(t, console.Status(status, patch.Waits{}, console.Page{}), "counted after every")
}
