package lab

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	named "github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/schedules"
)

func TestTheScheduleOfReconcile(t *testing.T) {
	server := start(t, TemporalOptions{})
	defer stop(t, server)
	c, err := server.Dial(t.Context(), guarded())
	require.NoError(t, err)
	defer c.Close()
	handles := c.ScheduleClient()
	kept := schedules.Reconcile{Schedules: handles}
	read := func() *schedules.ReconcileState {
		t.Helper()
		now, err := kept.Read(t.Context())
		require.NoError(t, err)
		return now
	}

	require.False(t, read().Exists)
	require.ErrorContains(t, kept.Pause(t.Context(), "x"), "--every 1h")
	require.ErrorContains(t, kept.Set(t.Context(), time.Minute, "x"), "shorter than 15m")

	require.NoError(t, kept.Set(t.Context(), time.Hour, "tester: nightly is too seldom"))
	made := read()
	require.True(t, made.Exists)
	require.Equal(t, "1h0m0s", made.Every)
	require.Equal(t, "tester: nightly is too seldom", made.Note)
	require.NotEmpty(t, made.Next)
	require.WithinDuration(t, time.Now(), made.Next[0], time.Hour+time.Minute)

	described, err := handles.GetHandle(t.Context(), named.ReconcileID).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, described.Schedule.Policy.Overlap)
	require.Equal(t, time.Hour, described.Schedule.Policy.CatchupWindow, "Temporal's own default is a year")
	action, isWorkflow := described.Schedule.Action.(*client.ScheduleWorkflowAction)
	require.True(t, isWorkflow)
	require.Equal(t, named.Reconcile, action.Workflow)
	require.Equal(t, named.TaskQueue, action.TaskQueue)

	// The same again changes nothing, another interval only that: one that is paused stays so.
	require.NoError(t, kept.Pause(t.Context(), "tester: a migration"))
	require.NoError(t, kept.Set(t.Context(), time.Hour, "tester: again"))
	require.NoError(t, kept.Set(t.Context(), 2*time.Hour, "tester: twice as seldom"))
	paused := read()
	require.Equal(t, []any{"2h0m0s", true, "tester: a migration"}, []any{paused.Every, paused.Paused, paused.Note})
	require.Empty(t, paused.Next)
	require.NoError(t, kept.Resume(t.Context(), "tester: done"))
	require.False(t, read().Paused)

	// A run of it is a Reconcile of its own name.
	require.NoError(
		t, handles.GetHandle(t.Context(), named.ReconcileID).Trigger(t.Context(), client.ScheduleTriggerOptions{}),
	)
	require.Eventually(t, func() bool { return len(read().Recent) == 1 }, time.Minute, 100*time.Millisecond)
	require.Contains(t, read().Recent[0], named.ReconcileID+"-")

	require.NoError(t, kept.Delete(t.Context()))
	require.NoError(t, kept.Delete(t.Context()), "taken away already")
	require.False(t, read().Exists)
}
