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
	return file(t, beforeStages, "    windows: ["+window+"]\n"+beforeStages)
}

func TestSchedulePreview(t *testing.T) {
	path := windowed(t, `{schedule: "cron(30 1 ? * SUN *)", time_zone: America/New_York, duration: 4h, cutoff: 1h}`)
	loaded, err := config.Load(path, nil)
	require.NoError(t, err)
	windows, found, err := loaded.Windows("web")
	require.NoError(t, err)
	require.True(t, found)
	shown := previewOf("web", windows, time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC), 3)
	const twice = "the clocks are put back: this time comes twice, and the window opens twice; this is the "
	shows := func(utc bool) string {
		var out bytes.Buffer
		printPreview(&out, shown, utc)
		lines := strings.NewReplacer("|", "", "-+", "", "+-", "", "--", "")
		return strings.Join(strings.Fields(lines.Replace(out.String())), " ")
	}
	require.Contains(t, shows(false), "2026-11-01 01:30 EDT 2026-11-01 03:30 EST 2026-11-01 04:30 EST "+twice+"first "+
		"2026-11-01 01:30 EST 2026-11-01 04:30 EST 2026-11-01 05:30 EST "+twice+"second; it is one with the window of "+
		"2026-11-01 01:30 EDT, and has no wave of its own "+
		"2026-11-08 01:30 EST 2026-11-08 04:30 EST 2026-11-08 05:30 EST")
	require.Contains(t, shows(true), "2026-11-01 05:30 UTC 2026-11-01 08:30 UTC 2026-11-01 09:30 UTC "+twice+"first")

	code, stdout, stderr := call(t, "schedule", "preview", "web", "-n", "2", "--json", "--config", path)
	require.Equal(t, exitDone, code, stderr)
	var document preview
	require.NoError(t, json.Unmarshal([]byte(stdout), &document))
	require.Equal(t, []string{"America/New_York"}, document.TimeZones)
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

// Each window shows in its own time, those that overlap say so, and what a blackout swallows is there with its reason.
func TestSchedulePreviewOfSeveralWindows(t *testing.T) {
	path := file(t, beforeStages, `    windows:
      - {schedule: "cron(0 2 ? * TUE#2 *)", offset: 4d, time_zone: Asia/Tokyo, duration: 4h, cutoff: 1h}
      - {schedule: "cron(0 20 ? * FRI *)", duration: 2h}
    blackout: [{from: 2036-11-21, reason: stocktaking}]
`+beforeStages)
	loaded, err := config.Load(path, nil)
	require.NoError(t, err)
	windows, _, err := loaded.Windows("web")
	require.NoError(t, err)
	var out bytes.Buffer
	printPreview(&out, previewOf("web", windows, time.Date(2036, 11, 10, 0, 0, 0, 0, time.UTC), 3), false)
	says := strings.Join(strings.Fields(strings.NewReplacer("|", "", "-+", "", "+-", "", "--", "").Replace(out.String())), " ")
	require.Contains(t, says, "The 2 windows of web, each in its own time:")
	require.Contains(t, says, "1 2036-11-15 02:00 JST 2036-11-15 05:00 JST 2036-11-15 06:00 JST "+
		"2 2036-11-14 20:00 UTC 2036-11-14 22:00 UTC 2036-11-14 22:00 UTC it is one with the window of 2036-11-15 02:00 JST, "+
		"and has no wave of its own "+
		"2 2036-11-21 20:00 UTC does not open: the blackout from 2036-11-21T00:00:00Z until 2036-11-22T00:00:00Z (stocktaking) "+
		"2 2036-11-28 20:00 UTC 2036-11-28 22:00 UTC 2036-11-28 22:00 UTC")
}

func TestSchedulePreviewTellsWhatItCannotShow(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		args []string
		code int
		says string
	}{
		"no window":    {file(t), []string{"web"}, exitFailed, "plan web has no window"},
		"unknown plan": {file(t), []string{"wbe"}, exitUsage, `there is no plan "wbe"`},
		"no number":    {file(t), []string{"web", "-n", "0"}, exitUsage, "write a number from 1 to 1000"},
		"over": {
			windowed(t, `{schedule: "cron(0 2 1 1 ? 2025)", duration: 4h}`), []string{"web"}, exitDone, "no window of web ever opens again",
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
			"a blackout, in one of two windows",
			schedules.State{
				Plan: "web", Window: 2, Of: 2, Exists: true, Next: next[:2],
				Closed: []schedules.Closed{{At: next[1], Why: "it does not open: the blackout (stocktaking)"}},
			},
			"web, window 2 of 2: opens next at 2026-12-06 17:00 UTC\n" +
				"  then 2026-12-13 17:00 UTC, but it does not open: the blackout (stocktaking)\n",
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
