package lab

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	sdktemporal "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	named "github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// stands is a wave as its search attributes tell it: closed, or open until it is cancelled.
func stands(ctx workflow.Context, plan string, outcome patch.Outcome) error {
	state := patch.StateRunning
	if outcome != "" {
		state = patch.StateClosed
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx,
		sdktemporal.NewSearchAttributeKeyKeyword(named.AttributePlan).ValueSet(plan),
		sdktemporal.NewSearchAttributeKeyKeyword(named.AttributeState).ValueSet(string(state)),
		sdktemporal.NewSearchAttributeKeyKeyword(named.AttributeOutcome).ValueSet(string(outcome)),
	); err != nil || outcome != "" {
		return err
	}
	return workflow.Sleep(ctx, time.Hour)
}

// TestAPlansWavesOnAServer: what a wave waits for is found in Temporal's own lists, in their own language.
func TestAPlansWavesOnAServer(t *testing.T) {
	attributes := map[string]enumspb.IndexedValueType{}
	for _, name := range named.SearchAttributes() {
		attributes[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	server := start(t, TemporalOptions{SearchAttributes: attributes})
	defer stop(t, server)
	c, err := server.Dial(t.Context(), client.Options{})
	require.NoError(t, err)
	defer c.Close()
	w := worker.New(c, "waves", worker.Options{})
	for _, name := range []string{named.PatchWave, named.RollBackWave, named.ScanFleet} {
		w.RegisterWorkflowWithOptions(stands, workflow.RegisterOptions{Name: name})
	}
	require.NoError(t, w.Start())
	defer w.Stop()
	begin := func(id, kind, plan string, outcome patch.Outcome) {
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: "waves"}, kind, plan, outcome)
		require.NoError(t, err)
		if outcome != "" {
			require.NoError(t, run.Get(t.Context(), nil))
		}
	}
	began := time.Now()
	begin("db-1", named.PatchWave, "db.main", patch.Failed)
	begin("db-2", named.PatchWave, "db.main", patch.Succeeded)
	begin("other", named.PatchWave, "db", patch.Failed)
	begin("scan", named.ScanFleet, "db.main", patch.Failed)
	waves := activities.NewWaves(c)
	seen := patch.PlanWaves{}
	soon := func(so func() bool) {
		require.Eventually(t, func() bool {
			seen, err = waves.OfPlan(t.Context(), "db.main", began.Add(-time.Minute))
			require.NoError(t, err)
			return so()
		}, 20*time.Second, 100*time.Millisecond)
	}
	soon(func() bool { return seen.Last != nil && seen.Last.ID == "db-2" })
	require.Equal(t, patch.Succeeded, seen.Last.Outcome)
	require.Empty(t, seen.Open)
	begin("db-3", named.PatchWave, "db.main", "")
	begin("back", named.RollBackWave, "db.main", "")
	soon(func() bool { return len(seen.Open) == 2 })
	require.Equal(t, []string{"back", "db-3"}, seen.Open)
	require.NoError(t, c.TerminateWorkflow(t.Context(), "db-3", "", "for the test"))
	require.NoError(t, c.TerminateWorkflow(t.Context(), "back", "", "for the test"))
	soon(func() bool { return len(seen.Open) == 0 && seen.Last.ID != "db-2" })
	require.NotEqual(t, patch.Succeeded, seen.Last.Outcome, "what was terminated has not succeeded")
}
