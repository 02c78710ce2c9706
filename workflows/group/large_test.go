package group_test

import (
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// Six hundred instances, whose own sagas are left out here: six runs of the group, each instance once and in order.
func TestAGroupOfSixHundred(t *testing.T) {
	const many = 600
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended), Fleet: wavetest.Sized(2, many, many),
	})
	var taken []string
	scene.Env.OnWorkflow(names.PatchInstance, mock.Anything, mock.Anything).Return(
		func(_ workflow.Context, in workflows.InstanceInput) (*patch.InstanceResult, error) {
			taken = append(taken, in.Instance)
			return &patch.InstanceResult{ID: in.Instance, Outcome: patch.Patched}, nil
		})
	runs := countRuns(scene.Env)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.Equal(t, 6, runs(wavetest.ProductionLock))
	require.Len(t, taken, many)
	seen := map[string]bool{}
	require.Equal(t, patch.Tally{patch.Patched: many}, result.Stages[0].Groups[0].Tally)
	var document activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), result.WaveID, &document))
	for i, instance := range document.Result.Stages[0].Groups[0].Instances {
		require.Equal(t, instance.ID, taken[i])
		require.Equal(t, patch.Patched, instance.Outcome)
		seen[instance.ID] = true
	}
	require.Len(t, seen, many)
}
