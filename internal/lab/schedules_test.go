package lab

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"

	ids "github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/schedule"
	"github.com/patchtide/patchtide/internal/schedules"
)

func windowOf(t *testing.T, expression, zone string, offset int) schedule.Windows {
	t.Helper()
	parsed, err := schedule.Parse(expression)
	require.NoError(t, err)
	location, err := time.LoadLocation(zone)
	require.NoError(t, err)
	return schedule.Windows{Each: []schedule.Window{{
		Schedule: parsed.After(offset).In(location, time.Date(2026, 1, 4, 2, 0, 0, 0, location)), Duration: 4 * time.Hour,
		Cutoff: time.Hour,
	}}}
}

// TestSchedulesOnTheServer keeps schedules on a real server: what is told to it, what it opens, and what becomes of
// what a person changed.
func TestSchedulesOnTheServer(t *testing.T) {
	server := start(t, TemporalOptions{DataDir: t.TempDir() + "/data"})
	defer stop(t, server)
	c, err := server.Dial(t.Context(), guarded())
	require.NoError(t, err)
	defer c.Close()
	t.Run("opens when we say", func(t *testing.T) { opensWhenWeSay(t, c) })
	t.Run("drift", func(t *testing.T) { mendsDrift(t, c) })
}

// opensWhenWeSay asks the server for every opening of two years and compares them with ours: each kind of rule, in
// zones whose clocks change by an hour, in the south, and not at all.
func opensWhenWeSay(t *testing.T, c client.Client) {
	keeper := schedules.Windows{Schedules: c.ScheduleClient()}
	from, to := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)
	var plans []schedules.Plan
	for i, expression := range []string{
		"cron(0 2 ? * SUN#2 *)", "cron(30 1 ? * SUN *)", "cron(30 2 ? * SUN *)", "cron(0 2 ? * 6L *)", "cron(0 2 L * ? *)",
		"cron(15 3 LW * ? *)",
		"cron(0 2 1W * ? *)", "cron(0 2 15W * ? *)", "cron(0 2 31W 1,3,5,7,8,10,12 ? *)", "cron(45 23 29 2 ? *)",
		"cron(0 2 31 * ? 2027)",
		"cron(0 2/7 1-3 JAN-JUN/2 ? *)", "cron(0 0 ? * L *)", "rate(7 days)", "rate(36 hours)",
	} {
		for j, zone := range []string{"UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Australia/Sydney"} {
			plans = append(plans, schedules.Plan{
				Name: fmt.Sprintf("p%d-%d", i, j), Windows: windowOf(t, expression, zone, (i+j)%7),
			})
		}
	}
	_, err := keeper.Sync(t.Context(), plans, false)
	require.NoError(t, err)
	for _, plan := range plans {
		answer, err := c.WorkflowService().ListScheduleMatchingTimes(
			t.Context(), &workflowservice.ListScheduleMatchingTimesRequest{
				Namespace: Namespace, ScheduleId: ids.WindowSchedule(plan.Name, 1), StartTime: timestamppb.New(from),
				EndTime: timestamppb.New(to),
			})
		require.NoError(t, err)
		theirs, ours := []string{}, []string{}
		for _, at := range answer.GetStartTime() {
			theirs = append(theirs, at.AsTime().Format(time.RFC3339))
		}
		window := plan.Windows.Each[0]
		for next, found := window.Next(from); found && !next.After(to); next, found = window.Next(next) {
			ours = append(ours, next.UTC().Format(time.RFC3339))
		}
		require.NotEmpty(t, ours)
		require.Less(t, len(ours), 1000, "the server lists no more")
		// In the night in which clocks are put back the server of 1.32.1 may tell a time of the hour that comes twice once
		// only, and one of the hour before twice, an hour apart (Europe/Berlin): never none, and on no other day.
		for _, pair := range [][2][]string{{ours, theirs}, {theirs, ours}} {
			for _, one := range pair[0] {
				if slices.Contains(pair[1], one) {
					continue
				}
				at, err := time.Parse(time.RFC3339, one)
				require.NoError(t, err)
				_, before := at.Add(-3 * time.Hour).In(window.Zone()).Zone()
				_, after := at.Add(3 * time.Hour).In(window.Zone()).Zone()
				require.Less(t, after, before, "%s in %s: %s is no night of a change", plan.Name, window.Zone(), one)
				near := []string{at.Add(-time.Hour).Format(time.RFC3339), at.Add(time.Hour).Format(time.RFC3339)}
				require.True(
					t, slices.ContainsFunc(pair[1], func(other string) bool { return slices.Contains(near, other) }), "%s in %s: %s",
					plan.Name, window.Zone(), one,
				)
			}
		}
	}
}

func mendsDrift(t *testing.T, c client.Client) {
	ctx, handles := t.Context(), c.ScheduleClient()
	keeper := schedules.Windows{Schedules: handles}
	// None of ours, though it looks like it; and none of ours at all.
	for _, id := range []string{"patchtide-window-stranger", "somebody-elses"} {
		_, err := handles.Create(ctx, client.ScheduleOptions{
			ID: id, Spec: client.ScheduleSpec{CronExpressions: []string{"0 3 * * *"}}, Paused: true,
			Action: &client.ScheduleWorkflowAction{ID: "x", Workflow: "SomethingElse", TaskQueue: "elsewhere"},
		})
		require.NoError(t, err)
	}
	web := schedules.Plan{Name: "web", Windows: windowOf(t, "cron(0 2 ? * SUN#2 *)", "Asia/Tokyo", 0)}
	db := schedules.Plan{Name: "db", Windows: windowOf(t, "rate(7 days)", "UTC", 0)}
	db.Windows.Each[0].Jitter = 10 * time.Minute
	done := func(plans []schedules.Plan, dryRun bool) map[string]string {
		changes, err := keeper.Sync(ctx, plans, dryRun)
		require.NoError(t, err)
		all := map[string]string{}
		for _, change := range changes {
			if change.Done != schedules.Unchanged {
				all[change.Plan] = change.Done
			}
		}
		return all
	}
	both := []schedules.Plan{web, db}
	require.Subset(t, done(both, true), map[string]string{"web": schedules.Created, "db": schedules.Created})
	_, err := handles.GetHandle(ctx, "patchtide-window-web").Describe(ctx)
	require.Error(t, err, "a dry run makes nothing")
	require.Subset(t, done(both, false), map[string]string{"web": schedules.Created, "db": schedules.Created})
	require.Eventually(t, func() bool { return len(done(both, false)) == 0 }, 20*time.Second, 100*time.Millisecond,
		"what was synced is not changed again, and the schedules of the test before, which have no plan any more, go once "+
			"they are listed")

	found, err := handles.GetHandle(ctx, "patchtide-window-db").Describe(ctx)
	require.NoError(t, err)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL, found.Schedule.Policy.Overlap)
	require.Equal(
		t, 2*time.Hour+50*time.Minute, found.Schedule.Policy.CatchupWindow, "no longer than the window starts anything",
	)
	require.False(t, found.Schedule.Policy.PauseOnFailure)
	require.Len(t, found.Schedule.Action.(*client.ScheduleWorkflowAction).Args, 1)

	require.NoError(t, keeper.Pause(ctx, "web", "release week"))
	state := stateOf(t, keeper, both, "web")
	require.True(t, state.Paused)
	require.Equal(t, "release week", state.Note)
	require.Empty(t, state.Drift, "pausing is the operators' own")
	require.Empty(t, state.Warning)

	// Somebody edits it by hand.
	require.NoError(t, handles.GetHandle(ctx, "patchtide-window-web").Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			in.Description.Schedule.Spec.TimeZoneName = "Europe/Berlin"
			in.Description.Schedule.Policy.CatchupWindow = 365 * 24 * time.Hour
			return &client.ScheduleUpdate{Schedule: &in.Description.Schedule}, nil
		},
	}))
	state = stateOf(t, keeper, both, "web")
	require.Equal(t, []schedules.Difference{
		{What: "time zone", Found: "Europe/Berlin", Wanted: "Asia/Tokyo"},
		{What: "catch-up", Found: "8760h0m0s", Wanted: "3h0m0s"},
	}, state.Drift)
	require.Equal(t, map[string]string{"web": schedules.Changed}, done(both, true))
	require.NotEmpty(t, stateOf(t, keeper, both, "web").Drift, "a dry run mends nothing")
	require.Equal(t, map[string]string{"web": schedules.Changed}, done(both, false))
	state = stateOf(t, keeper, both, "web")
	require.Empty(t, state.Drift)
	require.True(t, state.Paused, "it stays paused")
	require.Equal(t, "release week", state.Note)
	require.NoError(t, keeper.Resume(ctx, "web", "release is out"))
	state = stateOf(t, keeper, both, "web")
	require.False(t, state.Paused)
	require.Equal(t, "release is out", state.Note)
	next, _ := web.Windows.Each[0].Next(time.Now())
	require.True(t, state.Next[0].Equal(next), "%s, not %s", state.Next[0], next)

	secondWindow(t, keeper, web, db)

	// The plan db loses its window.
	require.True(t, stateOf(t, keeper, []schedules.Plan{web}, "db").Orphan)
	require.Equal(t, map[string]string{"db": schedules.Removed}, done([]schedules.Plan{web}, true))
	require.Equal(t, map[string]string{"db": schedules.Removed}, done([]schedules.Plan{web}, false))
	for _, id := range []string{"patchtide-window-stranger", "somebody-elses"} {
		_, err := handles.GetHandle(ctx, id).Describe(ctx)
		require.NoError(t, err, "%s is none of ours", id)
	}
	var notOurs *schedules.NotOursError
	_, err = keeper.Sync(ctx, []schedules.Plan{{Name: "stranger", Windows: web.Windows}}, false)
	require.ErrorAs(t, err, &notOurs)
	var missing *schedules.MissingError
	require.ErrorAs(t, keeper.Pause(ctx, "nosuch", "x"), &missing)
}

// secondWindow gives a paused plan another window and takes it away again: each has a schedule of its own, and who
// pauses or resumes the plan means all of them.
func secondWindow(t *testing.T, keeper schedules.Windows, web, db schedules.Plan) {
	t.Helper()
	two := web
	two.Windows.Each = append(slices.Clone(web.Windows.Each), windowOf(t, "cron(30 22 ? * TUE#2 *)", "Europe/Berlin", 4).Each...)
	next, _ := two.Windows.Each[1].Next(time.Now())
	two.Windows.Blackouts = patch.Blackouts{{From: next.Add(-time.Hour), Until: next.Add(time.Hour), Reason: "stocktaking"}}
	plans := []schedules.Plan{two, db}
	states := func(plans []schedules.Plan) (all []schedules.State) {
		listed, err := keeper.List(t.Context(), plans, time.Now())
		require.NoError(t, err)
		for _, state := range listed {
			if state.Plan == "web" {
				all = append(all, state)
			}
		}
		return all
	}
	require.NoError(t, keeper.Pause(t.Context(), "web", "release week"))
	_, err := keeper.Sync(t.Context(), plans, false)
	require.NoError(t, err)
	both := states(plans)
	require.Len(t, both, 2)
	require.Equal(t, "patchtide-window-web/2", both[1].Schedule)
	require.Equal(t, []any{true, "release week"}, []any{both[1].Paused, both[1].Note}, "the plan is paused, not a window")
	require.True(t, both[1].InOrder(), "%+v", both[1])
	require.True(t, both[1].Next[0].Equal(next), "%s, not %s", both[1].Next[0], next)
	require.Len(t, both[1].Closed, 1)
	require.Contains(t, both[1].Closed[0].Why, "(stocktaking)")
	require.NoError(t, keeper.Resume(t.Context(), "web", "release is out"))
	for _, state := range states(plans) {
		require.False(t, state.Paused, state.Schedule)
	}
	require.Eventually(t, func() bool { return len(states([]schedules.Plan{web, db})) == 2 }, 20*time.Second,
		100*time.Millisecond, "Temporal lists it")
	require.True(t, states([]schedules.Plan{web, db})[1].Orphan)
	_, err = keeper.Sync(t.Context(), []schedules.Plan{web, db}, false)
	require.NoError(t, err)
	require.Len(t, states([]schedules.Plan{web, db}), 1)
}

func stateOf(t *testing.T, keeper schedules.Windows, plans []schedules.Plan, plan string) schedules.State {
	t.Helper()
	states, err := keeper.List(t.Context(), plans, time.Now())
	require.NoError(t, err)
	for _, state := range states {
		if state.Plan == plan {
			return state
		}
	}
	t.Fatalf("no schedule of plan %s in %+v", plan, states)
	return schedules.State{}
}
