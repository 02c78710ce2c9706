package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

func observeFirst(f *attempts, checks ...patch.HealthCheck) activities.AwaitHealthyInput {
	state := f.inspect(production)
	return activities.AwaitHealthyInput{
		Observe: activities.ObserveHealthInput{
			Instance: instance(production, state.Members[0].ID), Platform: patch.Linux,
			TargetGroups: []string{state.TargetGroups[0].ARN},
			Checks:       checks, Pace: everyTen,
		},
		Before: state.Members[0].Targets, Since: patch.HealthObservation{At: f.Clock()},
	}
}

func TestObserve(t *testing.T) {
	f := newAttempts(t)
	in := observeFirst(
		f,
		patch.HealthCheck{TargetGroup: "auto"},
		patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 80}},
		patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/nowhere", Port: 81}},
		patch.HealthCheck{Alarm: "web-5xx"},
	)
	var seen patch.HealthObservation
	require.NoError(t, f.await(5*time.Minute, f.ObserveHealth, in.Observe, &seen))
	require.Equal(t, patch.TargetHealthy, seen.Member.Targets[0].Health)
	require.Equal(t, 200, seen.Answers[0].Status)
	require.Zero(t, seen.Answers[1].Status)
	require.NotEmpty(t, seen.Answers[1].Said)
	require.Equal(t, "OK", seen.Alarms[0].State)
	require.WithinDuration(t, f.Clock(), seen.At, time.Second)
	require.Equal(t, 1, f.Calls("SendCommand"), "all is asked by one command, however often its answer is looked for")
}

func TestAwaitHealthyAsksAnewAfterEachWholeLook(t *testing.T) {
	f := newAttempts(t)
	in := observeFirst(f, patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 81}})
	err := f.await(5*time.Minute, f.AwaitHealthy, in, nil)
	require.ErrorContains(t, err, "/healthz")
	require.Greater(t, f.Calls("SendCommand"), 3)
}

func TestAwaitHealthyEndsOnAnAlarm(t *testing.T) {
	f := newAttempts(t)
	in := observeFirst(f, patch.HealthCheck{Alarm: "web-5xx"})
	f.must(f.AwaitHealthy, in, nil)
	watch := activities.WatchBakeInput{AwaitHealthyInput: in}
	require.Equal(t, activities.ErrNotReady, f.fails(f.WatchBake, watch).Type(), "a bake lasts as long as all is well")
	f.Pass(time.Minute)
	f.Change(func(region *world.Region, _ *world.ScalingGroup) {
		require.NoError(t, region.SetAlarm("web-5xx", "ALARM", "somebody says so"))
	})
	require.Equal(t, activities.ErrNotHealthy, f.fails(f.AwaitHealthy, in).Type())
	require.Equal(t, activities.ErrNotHealthy, f.fails(f.WatchBake, watch).Type())
}

func TestObserveRefuses(t *testing.T) {
	f := newAttempts(t)
	in := observeFirst(f).Observe
	for _, c := range []struct {
		name  string
		check patch.HealthCheck
	}{
		{"a path that would end the quote", patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/'; reboot #", Port: 80}}},
		{"a path with a new line", patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/a\nreboot", Port: 80}}},
		{
			"a path with a parameter of Systems Manager",
			patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/{{ssm:secret}}", Port: 80}},
		},
		{"a path without its slash", patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "healthz", Port: 80}}},
		{"no port", patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/healthz"}}},
		{"from nowhere", patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 80, From: "moon"}}},
		{"an alarm that does not exist", patch.HealthCheck{Alarm: "nowhere"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in.Checks = []patch.HealthCheck{c.check}
			require.Equal(t, activities.ErrInvalidInput, f.fails(f.ObserveHealth, in).Type())
		})
	}
	require.Zero(t, f.Calls("SendCommand"))
	in.Instance.ID, in.Checks = "i-00000000000000000", nil
	require.False(t, f.fails(f.ObserveHealth, in).NonRetryable(), "one look that does not show it proves nothing")
	f.Pass(time.Minute)
	require.Equal(t, activities.ErrGone, f.fails(f.ObserveHealth, in).Type())
}
