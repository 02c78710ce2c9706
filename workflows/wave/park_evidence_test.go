package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// What a wave did before it was parked stays in its evidence while it goes on: one that is terminated then can be
// rolled back by it.
func TestAParkedWaveThatIsTerminatedInItsSecondWindowCanBeRolledBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
		return wavetest.Unattended(quick(file))
	}})
	next := twoWindows(scene, inTheMiddle)
	scene.Env.SetWorkflowRunTimeout(next.Sub(scene.Env.Now()) + 2*time.Hour) // then it ends without running any code
	scene.Env.SetDetachedChildWait(false)
	scene.When(isParked, func(patch.WaveStatus) {
		scene.Env.RegisterDelayedCallback(func() {
			scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
		}, time.Hour)
		scene.Env.RegisterDelayedCallback(func() {
			scene.MustTake(patch.Pause, wavetest.Because("lunch"))
		}, next.Sub(scene.Env.Now())+5*time.Minute)
	})
	_, err := scene.Run(wavetest.WebWave)
	require.Error(t, err)
	require.Len(t, patchedNow(scene), 3, "another in the second window, whose result died with the wave")

	var document activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
	require.Equal(t, patch.StatePaused, document.Status.State)
	require.Equal(t, []patch.Outcome{
		patch.Patched, patch.Patched, patch.NotStarted, patch.NotStarted,
	}, wavetest.ProductionOutcomes(&document.Result))

	scene.Again(scene.Env.Now().Add(time.Hour))
	scene.Play(func(story wavetest.Story) {
		story.RollBackRefused("wave-test", false, workflows.ErrDataLoss, "rollback_max_age (24h")
		result, err := story.RollBack("wave-test", true)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
		require.Contains(t, result.Reason, "wave wave-test did not end by itself")
		require.Len(t, wavetest.ProductionOutcomes(result), 3, "the journal tells of the third")
	})
	require.Empty(t, patchedNow(scene))
}

// A group that is terminated in the second window keeps in the wave's result what it had done in the first.
func TestAGroupThatIsTerminatedInItsSecondWindowKeepsItsFirst(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
		return wavetest.Unattended(quick(file))
	}})
	next := twoWindows(scene, inTheMiddle)
	scene.When(isParked, func(patch.WaveStatus) {
		scene.TerminatedGroup("web")
		scene.Env.RegisterDelayedCallback(func() {
			scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
		}, time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
	require.True(t, scene.Env.Now().After(next))
	require.Equal(t, []patch.Outcome{
		patch.Patched, patch.Patched, patch.NotStarted, patch.NotStarted,
	}, wavetest.ProductionOutcomes(result))
	require.Contains(t, result.Stranded[0].Resource, "group web")
}
