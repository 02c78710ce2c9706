package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/schedules"
)

// TestSchedulesByCommandLine is the life of a plan's schedule, on a real server, by the product's own commands: made,
// shown, changed by hand, mended, paused, resumed, and removed with its window.
func TestSchedulesByCommandLine(t *testing.T) {
	t.Parallel()
	o := &onCall{crashScene: newCrashScene(t, "healthy"), folder: t.TempDir()}
	const window = `    windows: [{schedule: "cron(0 2 ? * SUN#2 *)", time_zone: Asia/Tokyo, duration: 4h, cutoff: 1h}]` +
		"\n"
	write := func(window string) {
		t.Helper()
		text := strings.Replace(string(config.Example()), "    backup: snapshot\n", window+"    backup: snapshot\n", 1)
		require.Contains(t, text, window)
		require.NoError(t, os.WriteFile(filepath.Join(o.folder, config.DefaultFile), []byte(text), 0o600))
	}
	run := func(code int, args ...string) (said string) {
		t.Helper()
		is, said := o.run(append([]string{"schedule"}, args...)...)
		require.Equal(t, code, is, "schedule %v: %s", args, said)
		return said
	}
	list := func(code int) (states []schedules.State) {
		t.Helper()
		require.NoError(t, json.Unmarshal([]byte(run(code, "list", "--json")), &states))
		return states
	}
	sync := func(code int, more ...string) (changes []schedules.Change) {
		t.Helper()
		require.NoError(t, json.Unmarshal([]byte(run(code, append([]string{"sync", "--json"}, more...)...)), &changes))
		return changes
	}
	const schedule = "patchtide-window-web"
	unchanged := []schedules.Change{{Plan: "web", Schedule: schedule, Done: schedules.Unchanged}}

	write(window)
	require.False(t, list(exitFailed)[0].Exists)
	require.Contains(t, run(exitFailed, "list"), "web: has no schedule yet; run `patchtide schedule sync`")
	require.Contains(t, run(exitFailed, "pause", "web", "--reason", "too early"), "run `patchtide schedule sync` first")
	require.Contains(t, run(exitFailed, "sync", "--dry-run"), "web: would be created (patchtide-window-web)")
	require.False(t, list(exitFailed)[0].Exists, "a dry run makes nothing")
	require.Equal(t, []schedules.Change{{Plan: "web", Schedule: schedule, Done: schedules.Created}}, sync(exitDone))
	require.Equal(t, unchanged, sync(exitDone), "the same again changes nothing")
	require.Equal(t, unchanged, sync(exitDone, "--dry-run"))

	// What the server says is what the file alone says.
	var preview struct{ Openings []struct{ Opens time.Time } }
	require.NoError(t, json.Unmarshal([]byte(run(exitDone, "preview", "web", "--json", "-n", "1")), &preview))
	opens := preview.Openings[0].Opens.UTC().Format("2006-01-02 15:04 MST")
	require.Contains(t, run(exitDone, "list"), "web: opens next at "+opens)

	// Somebody edits it in the Temporal UI.
	byHand := func(change func(*client.Schedule)) {
		t.Helper()
		require.NoError(
			t,
			o.client.ScheduleClient().GetHandle(t.Context(), names.WindowSchedule("web", 1)).Update(
				t.Context(), client.ScheduleUpdateOptions{
					DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
						change(&in.Description.Schedule)
						return &client.ScheduleUpdate{Schedule: &in.Description.Schedule}, nil
					},
				}))
	}
	byHand(func(s *client.Schedule) { s.Spec.TimeZoneName = "Europe/Berlin" })
	drift := []schedules.Difference{{What: "time zone", Found: "Europe/Berlin", Wanted: "Asia/Tokyo"}}
	require.Equal(t, drift, list(exitFailed)[0].Drift)
	require.Contains(
		t, run(exitFailed, "list"),
		"  differs from the file; `patchtide schedule sync` mends it:\n  time zone\n    - Europe/Berlin\n    + Asia/Tokyo\n",
	)
	require.Equal(
		t, []schedules.Change{{Plan: "web", Schedule: schedule, Done: schedules.Changed, Differences: drift}},
		sync(exitFailed, "--dry-run"),
	)

	// Paused: sync mends the rest, and what a person decided stays.
	require.Contains(t, run(exitDone, "pause", "web", "--actor", "alice", "--reason", "release week"), "web: paused")
	require.Equal(
		t, []schedules.Change{{Plan: "web", Schedule: schedule, Done: schedules.Changed, Differences: drift}}, sync(exitDone),
	)
	state := list(exitDone)[0]
	require.Empty(t, state.Drift)
	require.Equal(t, []any{true, "paused by alice: release week"}, []any{state.Paused, state.Note})
	require.Equal(t, unchanged, sync(exitDone), "a pause is no difference")
	require.Contains(t, run(exitDone, "list"), "web: paused: paused by alice: release week")

	// The file changes meanwhile.
	write(strings.Replace(window, "cron(0 2 ?", "cron(0 3 ?", 1))
	require.Equal(t, schedules.Changed, sync(exitDone)[0].Done)
	require.True(t, list(exitDone)[0].Paused)
	require.Contains(t, run(exitDone, "resume", "web", "--actor", "bob", "--reason", "it is over"), "web: resumed")
	state = list(exitDone)[0]
	require.Equal(t, []any{false, "resumed by bob: it is over"}, []any{state.Paused, state.Note})

	// It opens, and no worker runs; then somebody ends what waits for one.
	require.Nil(t, state.Last, "it has not opened yet")
	require.NoError(t, o.client.ScheduleClient().GetHandle(t.Context(), names.WindowSchedule("web", 1)).Trigger(
		t.Context(), client.ScheduleTriggerOptions{},
	))
	o.eventually(func() bool { return list(exitDone)[0].Last != nil }, "the opening is listed")
	last := list(exitDone)[0].Last
	require.Equal(t, schedules.NotYet, last.Outcome)
	require.Contains(t, run(exitDone, "list"), "nothing has come of it yet: its workflow waits, as a rule for a worker")
	require.NoError(t, o.client.TerminateWorkflow(t.Context(), last.Workflow, "", "by hand"))
	o.eventually(func() bool {
		_, said := o.run("schedule", "list")
		return strings.Contains(said, ": started no wave: somebody terminated its workflow")
	}, "what came of it")

	// The plan loses its window.
	write("")
	o.eventually(func() bool { _, said := o.run("schedule", "list"); return strings.Contains(said, "web") }, "Temporal "+
		"lists it")
	require.True(t, list(exitFailed)[0].Orphan)
	removed := []schedules.Change{{Plan: "web", Schedule: schedule, Done: schedules.Removed}}
	require.Equal(t, removed, sync(exitFailed, "--dry-run"))
	require.Equal(t, removed, sync(exitDone))
	o.eventually(func() bool {
		_, said := o.run("schedule", "list")
		return strings.Contains(said, "no plan has a window")
	}, "Temporal lists it no more")
	require.Empty(t, sync(exitDone))
}
