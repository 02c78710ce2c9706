package group_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What a person has skipped stays as it was: a retry at a later hold is for what failed since.
func TestARetryLeavesWhatWasSkipped(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended),
		Fleet: wavetest.WithFaults(wavetest.Sized(2, 4, 4),
			world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 1},
			world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 2}),
	})
	scene.Decide = []patch.Verb{patch.Skip, patch.Retry}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, reasons(result))
	taken := map[string]int{}
	for _, event := range scene.Effects("EnterStandby") {
		taken[event.Resource]++
	}
	var skipped []string
	for _, instance := range result.Stages[0].Groups[0].Instances {
		if instance.Outcome != patch.Patched {
			skipped = append(skipped, instance.ID)
		}
	}
	require.Len(t, skipped, 1, reasons(result))
	require.Equal(t, 1, taken[skipped[0]], "it was taken out once, and never again: %v", taken)
	require.Len(t, scene.Effects("EnterStandby"), 5, "of four, the second twice")
}
