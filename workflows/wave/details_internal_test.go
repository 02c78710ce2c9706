package wave

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

var at = time.Date(2026, 11, 22, 2, 10, 0, 0, time.UTC)

func TestTheLiveTableOfAWave(t *testing.T) {
	status := patch.WaveStatus{
		WaveID: "wave-web-1", Plan: "web", State: patch.StateOnHold, Stage: "production", Hold: 2, Since: at,
		Awaiting: "it failed. Send retry, skip, roll back or abort.",
		Window:   &patch.Window{Opens: at, Cutoff: at.Add(3 * time.Hour), Closes: at.Add(4 * time.Hour)},
		Verbs:    patch.VerbsIn(patch.StateOnHold, true),
		Helpers:  []patch.Helper{{WorkflowID: "wave-web-1_5", Does: "scans 2 groups, from staging/r/Role=web on"}},
		Stages: []patch.StageStatus{
			{Name: "staging", Groups: []patch.GroupCounts{{
				Group: "staging/r/Role=web", WorkflowID: "patch-group/2/r/Role=web", Phase: patch.GroupDone, Total: 2, Done: 2,
				Outcome: patch.Succeeded, Tally: patch.Tally{patch.Patched: 2},
			}}},
			{Name: "production", Groups: []patch.GroupCounts{
				{
					Group: "production/r/web", WorkflowID: "patch-group/1/r/web", Phase: patch.GroupHeld, Total: 4, Done: 2,
					Tally:  patch.Tally{patch.Patched: 1, patch.Failed: 1},
					Failed: []patch.InstanceResult{{ID: "i-1"}}, Reason: "i-1 failed: a | b",
					ETA: &patch.ETA{Left: patch.Duration(30 * time.Minute)},
				},
				{
					Group: "production/r/api", WorkflowID: "patch-group/1/r/api", Phase: patch.GroupPatching, Total: 1,
					Now: []patch.InstanceNow{{ID: "i-2", Step: patch.StepStandby, Undoing: true, Since: at.Add(time.Minute)}},
					ETA: &patch.ETA{Left: 1, Done: at.Add(30 * time.Minute)},
				},
			}},
		},
		Stranded: []patch.Stranded{{
			Account: "production", Region: "r", Resource: "instance i-1", State: "in standby", WhatToDo: "look",
		}},
	}
	text := waveDetails(status, "ops")
	for _, part := range []string{
		"**web** is **on hold**, stage **production**, hold **2**, since 2026-11-22 02:10:00 UTC\n",
		"> it failed. Send retry, skip, roll back or abort.\n",
		"- [scans 2 groups, from staging/r/Role=web on](namespaces/ops/workflows/wave-web-1_5)\n",
		"| **staging** [staging/r/Role=web](namespaces/ops/workflows/patch-group%2F2%2Fr%2FRole=web) | 2 of 2 patched |  | succeeded " +
			"|  |  |\n",
		"| 1 of 4 patched, 1 failed |  | held |  | 30m left |\n",
		"| 0 of 1 patched | [i-2](namespaces/ops/workflows/patch-instance%2F1%2Fr%2Fi-2) | putting back: standby | 02:11:00 | 02:40 |\n",
		`- production/r/web: i-1 failed: a \| b` + "\n",
		"| **skip** if that machine is odd and the patch is well | `{\"actor\": \"you\", \"reason\": \"...\", \"stage\": \"production\", \"hold\": 2}` | " +
			"`patchtide wave skip wave-web-1 --stage production --hold 2 --reason \"...\"` |\n",
		"`patchtide wave extend-window wave-web-1 --until 2026-11-22T07:10:00Z --stage production --hold 2 --reason \"...\"`",
		"- **stranded** production/r instance i-1: in standby. look\n",
	} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "**approve**", "only what is taken now")
	status.Awaiting = "production/r/web: i-1 failed: a | b. Send retry, skip, roll back or abort."
	require.NotContains(t, waveDetails(status, "ops"), "- production/r/web", "what is asked has said it")
}

// What the table says to send is taken as it stands.
func TestTheDataThatTheTableShowsIsTaken(t *testing.T) {
	row := regexp.MustCompile("\\| \\*\\*([a-z_]+)\\*\\* [^|]*\\| `([^`]+)` \\| `([^`]+)` \\|")
	for _, state := range []patch.WaveState{
		patch.StatePreflight, patch.StateAwaitingApproval, patch.StateRunning, patch.StatePaused, patch.StateOnHold,
		patch.StateRollingBack,
	} {
		status := patch.WaveStatus{
			WaveID: "w", Plan: "web", State: state, Since: at, Verbs: patch.VerbsIn(state, true),
			Window: &patch.Window{Closes: at.Add(time.Hour)},
		}
		rows := row.FindAllStringSubmatch(waveDetails(status, "default"), -1)
		require.Len(t, rows, len(status.Verbs), state)
		for i, row := range rows {
			require.Equal(t, string(status.Verbs[i]), row[1])
			var request VerbRequest
			require.NoError(t, json.Unmarshal([]byte(row[2]), &request))
			require.NoError(t, request.Validate(status.Verbs[i]), row[2])
		}
	}
}

func TestALongTableStaysUnderWhatTheUIShows(t *testing.T) {
	status := patch.WaveStatus{
		WaveID: strings.Repeat("w", 200), Plan: "web", State: patch.StateOnHold, Since: at,
		Verbs: patch.VerbsIn(patch.StateOnHold, true),
	}
	stage := patch.StageStatus{Name: "production"}
	for range 500 {
		name := strings.Repeat("g", 60)
		stage.Groups = append(stage.Groups, patch.GroupCounts{
			Group: "production/ap-northeast-1/" + name, WorkflowID: "patch-group/111122223333/ap-northeast-1/" + name,
			Reason: strings.Repeat("because ", 100),
		})
	}
	status.Stages = []patch.StageStatus{stage}
	text := waveDetails(status, "default")
	require.Less(t, len(text), 20_000)
	require.Contains(t, text, "more groups")
	require.Contains(t, text, "**skip**", "what to send stays")
}

func TestTheTableTellsThatCountsLag(t *testing.T) {
	status := patch.WaveStatus{Plan: "web", State: patch.StateRunning, Since: at, Stages: []patch.StageStatus{{
		Name: "production", Groups: []patch.GroupCounts{{Group: "production/r/web", Total: 600, Done: 5}},
	}}}
	require.NotContains(t, waveDetails(status, "default"), "counted after")
	status.CountsEvery = 5
	require.Contains(t, waveDetails(status, "default"),
		"Each group is counted after every 5 instances of it; its own page tells of each.\n")
}

func TestAGroupThatHoldsWorksOnNothing(t *testing.T) {
	known := []patch.InstanceNow{{ID: "i-1", Step: patch.StepBake, Since: at}}
	require.Nil(t, run.AtWork(patch.GroupHeld, known))
	require.Equal(t, known, run.AtWork(patch.GroupRollingBack, known))
}
