package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/schedules"
)

const beforeStages = "    stages:\n      - name: staging\n"

// windowed writes a configuration whose plan has a window.
func windowed(t *testing.T, window string) string {
	t.Helper()
	return file(t, beforeStages, "    window: "+window+"\n"+beforeStages)
}

func TestSchedulePreview(t *testing.T) {
	path := windowed(t, `{schedule: "cron(30 1 ? * SUN *)", time_zone: America/New_York, duration: 4h, cutoff: 1h}`)
	loaded, err := config.Load(path, nil)
	require.NoError(t, err)
	window, found, err := loaded.Windows("web")
	require.NoError(t, err)
	require.True(t, found)
	shown := previewOf("web", window, time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC), 3)
	const twice = "the clocks are put back: this time comes twice, and the window opens twice; this is the "
	shows := func(utc bool) string {
		var out bytes.Buffer
		printPreview(&out, shown, utc)
		lines := strings.NewReplacer("|", "", "-+", "", "+-", "", "--", "")
		return strings.Join(strings.Fields(lines.Replace(out.String())), " ")
	}
	require.Contains(t, shows(false), "2026-11-01 01:30 EDT 2026-11-01 03:30 EST 2026-11-01 04:30 EST "+twice+"first "+
		"2026-11-01 01:30 EST 2026-11-01 04:30 EST 2026-11-01 05:30 EST "+twice+"second "+
		"2026-11-08 01:30 EST 2026-11-08 04:30 EST 2026-11-08 05:30 EST")
	require.Contains(t, shows(true), "2026-11-01 05:30 UTC 2026-11-01 08:30 UTC 2026-11-01 09:30 UTC "+twice+"first")

	code, stdout, stderr := call(t, "schedule", "preview", "web", "-n", "2", "--json", "--config", path)
	require.Equal(t, exitDone, code, stderr)
	var document preview
	require.NoError(t, json.Unmarshal([]byte(stdout), &document))
	require.Equal(t, "America/New_York", document.TimeZone)
	opens := 0
	for _, one := range document.Openings {
		if one.Opens != nil {
			require.True(t, one.Opens.After(time.Now()))
			require.Equal(t, 3*time.Hour, one.Cutoff.Sub(*one.Opens))
			opens++
		}
	}
	require.Equal(t, 2, opens)
}

func TestSchedulePreviewTellsWhatItCannotShow(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		args []string
		code int
		says string
	}{
		"no window":    {file(t), []string{"web"}, exitUsage, "plan web has no window"},
		"unknown plan": {file(t), []string{"wbe"}, exitUsage, `there is no plan "wbe"`},
		"no number":    {file(t), []string{"web", "-n", "0"}, exitUsage, "write a number from 1 to 1000"},
		"over": {
			windowed(t, `{schedule: "cron(0 2 1 1 ? 2025)", duration: 4h}`), []string{"web"}, exitDone, "never opens again",
		},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t, append([]string{"schedule", "preview", "--config", c.path}, c.args...)...)
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stdout+stderr, c.says)
		})
	}
}

// What came of the last opening stands beside the next ones, and a paused plan shows all that it lets pass.
func TestScheduleListSaysWhatCameOfTheLastOpening(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 12, day, 17, 0, 0, 0, time.UTC) }
	next := []time.Time{at(6), at(13), at(20), at(27)}
	last := func(says, wave string) *schedules.Opening {
		return &schedules.Opening{At: at(1), Workflow: "open-window-web", Says: says, WaveID: wave}
	}
	for _, c := range []struct {
		name  string
		state schedules.State
		says  string
	}{
		{
			"a wave",
			schedules.State{Plan: "web", Exists: true, Next: next, Last: last("started the wave w-1: succeeded", "w-1")},
			"web: opens next at 2026-12-06 17:00 UTC\n  then 2026-12-13 17:00 UTC\n  then 2026-12-20 17:00 UTC\n" +
				"  opened last at 2026-12-01 17:00 UTC: started the wave w-1: succeeded\n    see `patchtide wave show w-1`\n",
		},
		{
			"none",
			schedules.State{
				Plan: "web", Exists: true, Next: next[:1], Last: last("started no wave: the plan has no window any more", ""),
			},
			"web: opens next at 2026-12-06 17:00 UTC\n" +
				"  opened last at 2026-12-01 17:00 UTC: started no wave: the plan has no window any more\n",
		},
		{
			"paused",
			schedules.State{Plan: "web", Exists: true, Paused: true, Note: "release week", Next: next},
			"web: paused: release week\n  starts no wave at 2026-12-06 17:00 UTC\n  starts no wave at 2026-12-13 17:00 UTC\n" +
				"  starts no wave at 2026-12-20 17:00 UTC\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, printStates(&out, []schedules.State{c.state}))
			require.Equal(t, c.says, out.String())
		})
	}
}

func TestSchedulePauseWantsAReason(t *testing.T) {
	for _, verb := range []string{"pause", "resume"} {
		code, _, stderr := call(t, "schedule", verb, "web", "--config", file(t))
		require.Equal(t, exitUsage, code)
		require.Contains(t, stderr, "--reason is missing")
	}
}
