package console_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
)

// Whoever is called at night must see until when there is time, and what follows; and no reason twice.
func TestStatusOfAHold(t *testing.T) {
	until := time.Date(2026, 11, 24, 3, 30, 0, 0, time.Local)
	text := console.Status(patch.WaveStatus{
		WaveID: "wave-web-1", Plan: "web", State: patch.StateOnHold, Since: until.Add(-time.Hour),
		Awaiting: "production/eu/web: the agent is silent. Send retry or abort.",
		Verbs:    []patch.Verb{patch.Retry}, Otherwise: patch.RollBack, Until: &until,
		Stages: []patch.StageStatus{{Name: "production", Groups: []patch.GroupCounts{
			{Group: "production/eu/web", Phase: patch.GroupHeld, Reason: "the agent is silent"},
			{Group: "production/eu/api", Phase: patch.GroupPaused, Reason: "waits beside web"},
		}}},
	})
	require.Contains(t, text, "If nobody answers by 2026-11-24 03:30:00: roll_back\n")
	require.Contains(t, text, "production/eu/api: waits beside web\n")
	require.Equal(t, 1, strings.Count(text, "the agent is silent"), text)
	for _, line := range strings.Split(text, "\n") {
		require.LessOrEqual(t, len(line), 100, line)
	}
}

// In a very large wave the counts lag behind the groups: whoever reads them must know.
func TestStatusTellsThatCountsLag(t *testing.T) {
	status := patch.WaveStatus{WaveID: "wave-1", Plan: "web", State: patch.StateRunning, CountsEvery: 5}
	require.Contains(t, console.Status(status), "Done moves after every 5 instances of a group.")
	status.State = patch.StateClosed
	require.NotContains(t, console.Status(status), "Done moves", "all have ended and are counted")
	status.State, status.CountsEvery = patch.StateRunning, 0
	require.NotContains(t, console.Status(status), "Done moves")
}

// A command that is shown has dots wherever a person has to fill something in, and nowhere else.
func TestTheCommandOfEveryVerb(t *testing.T) {
	want := map[patch.Verb]string{
		patch.SetConcurrency: `patchtide wave set-concurrency wave-1 --max-parallel-groups ... --reason "..."`,
		patch.ExtendWindow:   `patchtide wave extend-window wave-1 --until ... --reason "..."`,
		patch.RollBack:       `patchtide wave roll-back wave-1 --reason "..."`,
	}
	for _, verb := range patch.Verbs() {
		plain := "patchtide wave " + verb.Command() + ` wave-1 --reason "..."`
		require.Equal(t, cmp.Or(want[verb], plain), console.Command(verb, patch.WaveStatus{WaveID: "wave-1"}))
		require.Contains(t, console.Command(verb, patch.WaveStatus{WaveID: "wave-1", Stage: "production", Hold: 2}),
			` --stage production --hold 2 --reason "..."`, "it says what it is for")
	}
}
