package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// Six hundred instances, whose own sagas are left out here: six runs of the group, each instance once and in order.
func TestAGroupOfSixHundred(t *testing.T) {
	const many = 600
	b := newBench(t, benchOptions{scenario: "healthy", config: productionOnly(unattended), fleet: sized(2, many, many)})
	var taken []string
	b.env.OnWorkflow(names.PatchInstance, mock.Anything, mock.Anything).Return(
		func(_ workflow.Context, in workflows.InstanceInput) (*patch.InstanceResult, error) {
			taken = append(taken, in.Instance)
			return &patch.InstanceResult{ID: in.Instance, Outcome: patch.Patched, MissingBefore: []string{}, MissingAfter: []string{}}, nil
		})
	runs := countRuns(b.env)
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.Equal(t, 6, runs(productionLock))
	require.Len(t, taken, many)
	seen := map[string]bool{}
	for i, instance := range result.Stages[0].Groups[0].Instances {
		require.Equal(t, instance.ID, taken[i])
		require.Equal(t, patch.Patched, instance.Outcome)
		seen[instance.ID] = true
	}
	require.Len(t, seen, many)
}
