package run_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/workflows/internal/run"
)

// What is read anew has one token for all of its attempts, and another each time that it is asked for.
func TestAReadingIsNamedByItsMoment(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		of := run.Attempt("wave-1", "i-1", "facts-first", 0)
		first := run.Anew(ctx, of)
		require.Equal(t, first, run.Anew(ctx, of))
		require.Equal(t, "wave-1", first.WaveID)
		require.NotEqual(t, of, first)
		require.NoError(t, workflow.Sleep(ctx, time.Second))
		require.NotEqual(t, first, run.Anew(ctx, of))
		require.Equal(t, of, run.Attempt("wave-1", "i-1", "facts-first", 0), "a change keeps its own")
		return nil
	})
	require.NoError(t, env.GetWorkflowError())
}
