package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// estimated gives the plan web estimates.
func estimated(estimates string) func([]byte) []byte {
	return wavetest.PlanWith("    stages:\n      - name: staging\n",
		"    estimates: "+estimates+"\n    stages:\n      - name: staging\n")
}

// An instance is started only while patching it and putting it back both fit before the cutoff: what began inside the
// window is never caught by its end, also where it fails at the very end.
func TestAnInstanceStartsOnlyIfItCanBePutBackBeforeTheCutoff(t *testing.T) {
	const needs = 61 * time.Minute // 30 + 30, and the target group's minute of draining
	for name, c := range map[string]struct {
		cutoff           time.Duration
		staged, produced int
	}{
		"just enough for the first":       {needs + 2*time.Minute, 1, 0},
		"the whole wave":                  {5 * time.Hour, 2, 4},
		"staging and two of production's": {needs + 48*time.Minute, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: estimated("{patch: 30m, rollback: 30m, snapshot: 0s, volume: 0s}"),
			})
			start := scene.Env.Now()
			scene.Plans.Within = &patch.Window{
				Opens: start, Cutoff: start.Add(c.cutoff), Closes: start.Add(c.cutoff + time.Hour),
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.staged, wavetest.Count(wavetest.Outcomes(result)["staging"], patch.Patched), "%+v", result)
			require.Equal(t, c.produced, wavetest.CountInProduction(result, patch.Patched))
			if c.produced < 4 {
				require.Equal(t, patch.Aborted, result.Outcome)
				require.Contains(t, result.Reason, "too little of the window is left")
			}
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// A wave in which not one instance would fit is refused before anything is changed, by the same measure.
func TestAWaveWithoutRoomForOneInstanceIsRefused(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: estimated("{patch: 30m, rollback: 30m, snapshot: 0s, volume: 0s}"),
	})
	start := scene.Env.Now()
	scene.Plans.Within = &patch.Window{Opens: start, Cutoff: start.Add(time.Hour), Closes: start.Add(2 * time.Hour)}
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err,
		string(patch.RefusedWindowEnds)+
			": staging/ap-northeast-1/Role=web: too little of the window is left: 1h0m0s until its cutoff")
	require.ErrorContains(t, err, "start the wave earlier in the window, or widen it")
	scene.RequireInvariants(nil, wavetest.Except{})
}

// What earlier waves took replaces the plan's estimates: the second wave knows that an instance takes minutes, not
// hours.
func TestTheEvidenceOfEarlierWavesCounts(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: estimated("{patch: 4h, rollback: 0s, snapshot: 0s, volume: 0s}"),
	})
	start := scene.Env.Now()
	scene.Plans.Within = &patch.Window{Opens: start, Cutoff: start.Add(3 * time.Hour), Closes: start.Add(4 * time.Hour)}
	at := func(planName string) *patch.Estimates {
		resolved, err := scene.Control.ResolvePlan(t.Context(), activities.ResolvePlanInput{Plan: planName, At: start})
		require.NoError(t, err)
		return resolved.Plan.Estimates
	}
	require.Equal(t, 4*time.Hour, at("web").Patch.D())
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err, string(patch.RefusedWindowEnds), "by its estimate nothing fits")

	scene.Plans.Within = nil
	scene.Again(start.Add(24 * time.Hour))
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)
	var kept activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &kept))
	require.NoError(t, scene.Store.PutWave(t.Context(), "wave-web-20361123-020000", kept))
	other := kept
	other.Plan.Name = "web-blue"
	require.NoError(t, scene.Store.PutWave(t.Context(), "wave-web-blue-20361123-020000", other))

	scene.Plans.Within = &patch.Window{Opens: start, Cutoff: start.Add(3 * time.Hour), Closes: start.Add(4 * time.Hour)}
	measured := at("web")
	require.Equal(t, 6, measured.Patches, "those of its own waves only")
	require.Greater(t, measured.Patch.D(), 5*time.Minute, "the bake at least")
	require.Less(t, measured.Patch.D(), 30*time.Minute)
	require.Zero(t, measured.RollBacks)
	for _, stage := range kept.Result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				require.True(t, instance.Ended.After(instance.Started), "%+v", instance)
			}
		}
	}
}

// An instance that was put back tells how long that took.
func TestARollBackTellsHowLongItTook(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	var measured patch.Measured
	measured.Measure(*result)
	require.NotEmpty(t, measured.RollBacks)
	for _, took := range measured.RollBacks {
		require.Greater(t, took.D(), time.Minute)
		require.Less(t, took.D(), 2*time.Hour)
	}
}

// A window may be open and yet too short for one more instance.
func TestAWindowThatEndsTooSoon(t *testing.T) {
	t.Run("before the wave", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
		now := scene.Env.Now()
		scene.Plans.Within = &patch.Window{
			Opens: now.Add(-time.Hour), Cutoff: now.Add(29 * time.Minute), Closes: now.Add(30 * time.Minute),
		}
		_, err := scene.Run(wavetest.WebWave)
		require.ErrorContains(t, err, "WindowEndsTooSoon")
		require.Empty(t, scene.Mutations(wavetest.Staging))
	})
	t.Run("before an instance", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{
			Scenario: "healthy", Config: estimated("{patch: 30m, rollback: 0s, snapshot: 0s, volume: 0s}"),
		})
		ends := scene.Env.Now().Add(75 * time.Minute)
		scene.Plans.Within = &patch.Window{Opens: scene.Env.Now().Add(-time.Hour), Cutoff: ends, Closes: ends}
		result, err := scene.Run(wavetest.WebWave)
		require.NoError(t, err)
		require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
		require.Contains(t, result.Reason, "WindowEndsTooSoon")
		require.Positive(t, wavetest.CountInProduction(result, patch.Patched))
		require.Positive(t, wavetest.CountInProduction(result, patch.NotStarted))
		scene.RequireInvariants(result, wavetest.Except{})
	})
}
