package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// An older copy of Temporal's database begins a wave anew that has patched everything: what it tells, and what it can
// put back, is what it did.
func TestAnOlderCopyOfTheDatabaseForgetsNoPatch(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	did, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, did.Outcome, "%+v", did)
	scene.Again(scene.Env.Now().Add(time.Hour))
	again, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, wavetest.Outcomes(did), wavetest.Outcomes(again))
	require.Len(t, scene.Effects("StartAutomationExecution"), 6, "nobody is patched twice")
	for i, stage := range again.Stages {
		for j, instance := range stage.Groups[0].Instances {
			was := did.Stages[i].Groups[0].Instances[j]
			require.Equal(t, was.Backup, instance.Backup)
			require.Equal(t, []string{was.BootID, was.PackagesAfter}, []string{instance.BootID, instance.PackagesAfter})
		}
	}
	scene.Again(scene.Env.Now().Add(time.Hour))
	scene.Play(func(story wavetest.Story) {
		result, err := story.RollBack("wave-test", false)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	})
}

// Who was compliant before the wave stays so.
func TestWhatAnotherWavePatchedIsAlreadyCompliant(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Play(func(story wavetest.Story) {
		require.Equal(t, patch.Succeeded, story.Wave("wave-1").Outcome)
		second := story.Wave("wave-2")
		for _, outcome := range wavetest.ProductionOutcomes(second) {
			require.Equal(t, patch.AlreadyCompliant, outcome)
		}
	})
}
