package instance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What is published while an instance is patched is missing on it after its last pass. It is no failure, and it is
// named, so that nobody takes the instance for one that lacks nothing.
func TestWhatIsPublishedMeanwhileIsNamed(t *testing.T) {
	const late = "late.x86_64"
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended),
		Fleet: func(s *world.Scenario) { s.OperatingSystems[0].Packages[late] = "1:1.0-1.amzn2023" },
	})
	first := ""
	scene.WhenAtStep(patch.StepVerify, func(instance string) {
		first = instance
		scene.Sim.Inspect(func(w *world.World) {
			w.Scenario.Patches = append(w.Scenario.Patches, world.Patch{
				OS: w.Scenario.OperatingSystems[0].Name, ID: late, Version: "1:1.0-2.amzn2023", Severity: "Critical",
				Classification: "Security", AgeDays: 10,
			})
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	for _, instance := range result.Stages[0].Groups[0].Instances {
		require.Equal(t, patch.Patched, instance.Outcome, instance.Reason)
		const named = "published while it was patched, left to the next wave: " + late
		if instance.ID == first {
			require.Equal(t, 1, instance.MissingAfter)
			require.Contains(t, instance.Notes, named)
			continue
		}
		require.Zero(t, instance.MissingAfter, instance.ID)
		require.NotContains(t, instance.Notes, named)
	}
}
