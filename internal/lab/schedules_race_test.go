package lab

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	ids "github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/schedules"
)

// meddler is somebody who is quicker: it acts after a schedule was read and before the change made of it is sent.
type meddler struct{ acts []func() }

func (m *meddler) intercept(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker,
	options ...grpc.CallOption,
) error {
	if _, is := request.(*workflowservice.UpdateScheduleRequest); is && len(m.acts) > 0 {
		act := m.acts[0]
		m.acts = m.acts[1:]
		act()
	}
	return call(ctx, method, request, reply, conn, options...)
}

// TestNobodysChangeOfAScheduleIsUndone has somebody pause, edit or delete a schedule in the moment in which another
// changes it.
func TestNobodysChangeOfAScheduleIsUndone(t *testing.T) {
	server := start(t, TemporalOptions{})
	defer stop(t, server)
	other, err := server.Dial(t.Context(), client.Options{})
	require.NoError(t, err)
	defer other.Close()
	quicker := &meddler{}
	options := guarded()
	options.ConnectionOptions.DialOptions = append(
		options.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(quicker.intercept),
	)
	c, err := server.Dial(t.Context(), options)
	require.NoError(t, err)
	defer c.Close()

	ctx := t.Context()
	keeper, theirs := schedules.Windows{Schedules: c.ScheduleClient()}, schedules.Windows{
		Schedules: other.ScheduleClient(),
	}
	web := []schedules.Plan{{Name: "web", Windows: windowOf(t, "cron(0 2 ? * SUN#2 *)", "Asia/Tokyo", 0)}}
	handle := other.ScheduleClient().GetHandle(ctx, ids.WindowSchedule("web", 1))
	edit := func() {
		require.NoError(
			t,
			handle.Update(
				ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
					in.Description.Schedule.Spec.TimeZoneName = "Europe/Berlin"
					return &client.ScheduleUpdate{Schedule: &in.Description.Schedule}, nil
				}}))
	}
	_, err = keeper.Sync(ctx, web, false)
	require.NoError(t, err)
	pause := func(note string) func() {
		return func() { require.NoError(t, theirs.Pause(ctx, "web", note)) }
	}
	resume := func() { require.NoError(t, theirs.Resume(ctx, "web", "it is over")) }
	for _, c := range []struct {
		name   string
		acts   []func()
		done   string
		paused bool
		note   string
	}{
		{"paused", []func(){pause("release week")}, schedules.Changed, true, "release week"},
		{"resumed, and paused again", []func(){resume, pause("not yet")}, schedules.Changed, true, "not yet"},
		{"resumed", []func(){resume}, schedules.Changed, false, "it is over"},
		{"deleted", []func(){func() { require.NoError(t, handle.Delete(ctx)) }}, schedules.Created, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			edit()
			quicker.acts = c.acts
			changes, err := keeper.Sync(ctx, web, false)
			require.NoError(t, err)
			require.Empty(t, quicker.acts, "all of it came in between")
			require.Equal(t, c.done, changes[0].Done)
			state := stateOf(t, keeper, web, "web")
			require.Empty(t, state.Drift)
			require.Equal(t, []any{c.paused, c.note}, []any{state.Paused, state.Note})
		})
	}

	edit()
	for range 100 {
		quicker.acts = append(quicker.acts, pause("it fights with a script"))
	}
	_, err = keeper.Sync(ctx, web, false)
	require.ErrorContains(t, err, "somebody else changes it all the time", "it never claims what is not so")
	quicker.acts = nil
	_, err = theirs.Sync(ctx, web, false)
	require.ErrorContains(t, err, "without schedules.DialOption")

	ours := schedules.Reconcile{Schedules: c.ScheduleClient()}
	require.NoError(t, ours.Set(ctx, time.Hour, "first"))
	quicker.acts = []func(){func() {
		require.NoError(t, (schedules.Reconcile{Schedules: other.ScheduleClient()}).Pause(ctx, "a migration"))
	}}
	require.NoError(t, ours.Set(ctx, 2*time.Hour, "again"))
	now, err := ours.Read(ctx)
	require.NoError(t, err)
	require.Equal(t, []any{"2h0m0s", true, "a migration"}, []any{now.Every, now.Paused, now.Note})
}

// guarded are the options of a client that may change schedules, as the product's command line has them.
func guarded() client.Options {
	return client.Options{
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{schedules.DialOption()}},
	}
}
