package lab

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	named "github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/reconcile"
)

func TestTheScheduleOfReconcile(t *testing.T) {
	server := start(t, TemporalOptions{})
	defer stop(t, server)
	c, err := server.Dial(t.Context(), guarded())
	require.NoError(t, err)
	defer c.Close()
	schedules := c.ScheduleClient()
	read := func() *reconcile.Schedule {
		t.Helper()
		now, err := reconcile.Read(t.Context(), schedules)
		require.NoError(t, err)
		return now
	}

	require.False(t, read().Exists)
	require.ErrorContains(t, reconcile.Pause(t.Context(), schedules, "x"), "--every 1h")
	require.ErrorContains(t, reconcile.Set(t.Context(), schedules, time.Minute, "x"), "shorter than 15m")

	require.NoError(t, reconcile.Set(t.Context(), schedules, time.Hour, "tester: nightly is too seldom"))
	made := read()
	require.True(t, made.Exists)
	require.Equal(t, "1h0m0s", made.Every)
	require.Equal(t, "tester: nightly is too seldom", made.Note)
	require.NotEmpty(t, made.Next)
	require.WithinDuration(t, time.Now(), made.Next[0], time.Hour+time.Minute)

	described, err := schedules.GetHandle(t.Context(), named.ReconcileID).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, described.Schedule.Policy.Overlap)
	require.Equal(t, time.Hour, described.Schedule.Policy.CatchupWindow, "Temporal's own default is a year")
	action, isWorkflow := described.Schedule.Action.(*client.ScheduleWorkflowAction)
	require.True(t, isWorkflow)
	require.Equal(t, named.Reconcile, action.Workflow)
	require.Equal(t, named.TaskQueue, action.TaskQueue)

	// The same again changes nothing, another interval only that: one that is paused stays so.
	require.NoError(t, reconcile.Pause(t.Context(), schedules, "tester: a migration"))
	require.NoError(t, reconcile.Set(t.Context(), schedules, time.Hour, "tester: again"))
	require.NoError(t, reconcile.Set(t.Context(), schedules, 2*time.Hour, "tester: twice as seldom"))
	paused := read()
	require.Equal(t, []any{"2h0m0s", true, "tester: a migration"}, []any{paused.Every, paused.Paused, paused.Note})
	require.Empty(t, paused.Next)
	require.NoError(t, reconcile.Resume(t.Context(), schedules, "tester: done"))
	require.False(t, read().Paused)

	// A run of it is a Reconcile of its own name.
	require.NoError(t, schedules.GetHandle(t.Context(), named.ReconcileID).Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	require.Eventually(t, func() bool { return len(read().Recent) == 1 }, time.Minute, 100*time.Millisecond)
	require.Contains(t, read().Recent[0], named.ReconcileID+"-")

	require.NoError(t, reconcile.Delete(t.Context(), schedules))
	require.NoError(t, reconcile.Delete(t.Context(), schedules), "taken away already")
	require.False(t, read().Exists)
}
