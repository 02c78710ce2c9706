package wave_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// afterDatabase is the example's plan, which waits for another that is there as well.
func afterDatabase(after string, pairs ...string) func([]byte) []byte {
	return func(file []byte) []byte {
		file = wavetest.PlanWith(append([]string{
			"approval: {required: true, timeout: 24h}", "approval: {required: false}",
			"    restore: root_volume\n", "    restore: root_volume\n    after_plan: " + after + "\n",
			"plans:\n", `plans:
  - name: database
    baseline: amazon-linux-2023
    stages: [{name: all, groups: [{account: staging, region: ap-northeast-1, tags: {Role: database}}]}]
`,
		}, pairs...)...)(file)
		return file
	}
}

// A wave begins once the plan that it waits for is done, seen twice, and until then says so and does nothing.
func TestAWaveWaitsForAnotherPlan(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: afterDatabase("database")})
	start := scene.Env.Now()
	open := start.Add(40 * time.Minute)
	ended := patch.PlanWave{ID: "wave-database-2", Outcome: patch.Succeeded, Ended: open}
	before := patch.PlanWave{ID: "wave-database-1", Outcome: patch.Succeeded, Ended: start.Add(-48 * time.Hour)}
	var looks []time.Time
	scene.Listed = func(plan string, at time.Time) (patch.PlanWaves, error) {
		require.Equal(t, "database", plan)
		looks = append(looks, at)
		switch {
		case at.Before(start.Add(10 * time.Minute)):
			return patch.PlanWaves{Last: &before}, nil // that of another day
		case at.Before(start.Add(20 * time.Minute)):
			return patch.PlanWaves{}, errors.New("visibility is away")
		case at.Before(open):
			return patch.PlanWaves{Open: []string{ended.ID}, Last: &before}, nil
		}
		return patch.PlanWaves{Last: &ended}, nil
	}
	speakers := scene.Listen("chat")
	var said []string
	var shown string
	scene.Env.RegisterDelayedCallback(func() {
		status, _ := scene.Status()
		said, shown = append(said, status.Awaiting), brief.Says(status)
		require.Equal(t, patch.StatePreflight, status.State)
		require.Equal(t, []patch.Verb{patch.Abort}, status.Verbs)
	}, 5*time.Minute+time.Second)
	scene.Env.RegisterDelayedCallback(func() {
		status, _ := scene.Status()
		said = append(said, status.Awaiting)
		require.Empty(t, scene.Marks())
	}, 35*time.Minute)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, "It waits", shown)
	require.Len(t, said, 2)
	require.Contains(t, said[0], "It is waited for until ")
	require.Contains(t, said[0], "the plan database has had no wave in the last 24h0m0s")
	require.Contains(t, said[1], "the plan database has an open wave: wave-database-2")
	require.Equal(t, patch.NoticeAwaitingPlan, speakers.Kinds("chat")[0])
	require.GreaterOrEqual(t, len(looks), 2)
	last := looks[len(looks)-2:]
	require.Equal(t, time.Minute, last[1].Sub(last[0]).Round(time.Second), "it is looked once more before it begins")
	for _, act := range scene.Effects("") {
		require.False(t, act.Time.Before(open), act.Operation)
	}
}

// What is waited for in vain ends the wave with nothing changed, and says why; so do a person and the window's cutoff.
func TestAWaveThatWaitsInVain(t *testing.T) {
	closed := func(outcome patch.Outcome) func(time.Time) (patch.PlanWaves, error) {
		return func(at time.Time) (patch.PlanWaves, error) {
			return patch.PlanWaves{Last: &patch.PlanWave{ID: "wave-database-1", Outcome: outcome, Ended: at.Add(-time.Hour)}}, nil
		}
	}
	for _, c := range []struct {
		name   string
		after  string
		window bool
		listed func(time.Time) (patch.PlanWaves, error)
		abort  bool
		reason []string
	}{
		{
			name: "its last wave failed", after: "{plan: database, timeout: 2h}", listed: closed(patch.Failed),
			reason: []string{"the last wave of the plan database, wave-database-1, ended failed", "the time-out of after_plan"},
		},
		{
			name: "it left somebody out", after: "{plan: database, timeout: 2h}", listed: closed(patch.SucceededWithSkips),
			reason: []string{"ended succeeded with skips; only one that succeeded counts"},
		},
		{
			name: "somebody terminated it", after: "{plan: database, timeout: 2h}", listed: closed(""),
			reason: []string{"ended without an outcome"},
		},
		{
			name: "Temporal does not tell", after: "{plan: database, timeout: 2h}",
			listed: func(time.Time) (patch.PlanWaves, error) { return patch.PlanWaves{}, errors.New("away") },
			reason: []string{"Temporal does not tell how the plan database stands"},
		},
		{
			name: "the window ends first", after: "database", listed: closed(patch.Failed),
			window: true,
			reason: []string{"the window's cutoff"},
		},
		{
			name: "a person aborts", after: "database", listed: closed(patch.Failed), abort: true,
			reason: []string{"aborted: ", "not today"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: afterDatabase(c.after)})
			scene.Listed = func(_ string, at time.Time) (patch.PlanWaves, error) { return c.listed(at) }
			if c.window {
				now := scene.Env.Now()
				scene.Plans.Within = &patch.Window{
					Opens: now.Add(-time.Hour), Cutoff: now.Add(3 * time.Hour), Closes: now.Add(4 * time.Hour),
				}
			}
			if c.abort {
				scene.Env.RegisterDelayedCallback(func() {
					scene.MustTake(patch.Abort, wavetest.Because("not today"))
				}, 30*time.Minute)
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
			for _, want := range c.reason {
				require.Contains(t, result.Reason, want)
			}
			require.Empty(t, scene.Mutations(wavetest.Production))
			require.Empty(t, scene.Mutations(wavetest.Staging))
		})
	}
}

// A plan shows beforehand what it would wait for.
func TestAPreviewTellsWhatItWaitsFor(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: afterDatabase("database")})
	shown := previewOf(scene, workflows.PreviewRequest{Plan: "web"})
	require.Equal(t, "database", shown.AfterPlan.Plan)
	require.Contains(t, shown.AfterPlan.Told(), "begins once the plan database has no open wave")
}
