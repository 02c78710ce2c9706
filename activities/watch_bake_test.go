package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// bakeOf watches the first of production for five minutes.
func bakeOf(f *fleet, checks ...patch.HealthCheck) activities.WatchBakeInput {
	f.t.Helper()
	state := must[patch.GroupState](f, f.aws.InspectGroup, activities.InspectGroupInput{Group: production})
	return activities.WatchBakeInput{
		AwaitHealthyInput: activities.AwaitHealthyInput{
			Before: state.Members[0].Targets, Since: patch.HealthObservation{At: f.Clock()},
			Observe: activities.ObserveHealthInput{
				Instance: instance(production, state.Members[0].ID), Platform: patch.Linux,
				TargetGroups: []string{state.TargetGroups[0].ARN}, Checks: checks, Pace: everyTen,
			},
		},
		Attempt: attempt(), Length: patch.Duration(5 * time.Minute),
	}
}

// serves is a check of each kind that the probe asks.
var serves = []patch.HealthCheck{
	{HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 80}},
	{Command: &patch.CommandCheck{Run: "systemctl is-active web", Timeout: patch.Duration(10 * time.Second)}},
}

// A bake on the instance is one command: it tells each failure with its time, and where it was cut nobody watched.
func TestABakeOnTheInstanceIsOneCommand(t *testing.T) {
	type machine = *world.Instance
	for _, c := range []struct {
		name     string
		at       time.Duration // after the bake's beginning
		do       func(machine)
		passes   time.Duration // after which the application runs again; 0: it does not
		lose     int           // replies to SendCommand
		commands int
		want     string // an error's type; "": it ends well
		says     string
	}{
		{name: "all is well", commands: 1},
		{name: "the reply is lost", lose: 1, commands: 1},
		{
			name: "the application ends", at: 2 * time.Minute, do: machine.StopApp, commands: 1, want: activities.ErrNotHealthy,
			says: "2 of 14 looks on the instance were bad: 2026-11-08T02:02:",
		},
		{
			name: "it stumbles", at: 2*time.Minute + 5*time.Second, do: machine.StopApp, passes: 8 * time.Second, commands: 1,
		},
		{
			name: "somebody cancels the command", at: 2 * time.Minute, commands: 1, want: activities.ErrBakeCut,
			says: "nobody watched to the end of the bake: its command ended: Cancelled", do: func(it machine) {
				for _, command := range it.Region.Commands() {
					command.Cancel(nil)
				}
			},
		},
		{name: "its agent takes no command", do: machine.ForgetAgent, want: activities.ErrNotReady},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFleet(t)
			// Its target group would tell of an application that has ended, before the probe does.
			watch := bakeOf(f, serves...)
			f.Change(func(region *world.Region, _ *world.ScalingGroup) {
				it := region.Instance(watch.Observe.Instance.ID)
				if c.do != nil {
					region.World.After(c.at, func() { c.do(it) })
				}
				if c.passes > 0 {
					region.World.After(c.at+c.passes, it.StartApp)
				}
			})
			if c.do != nil && c.at == 0 {
				f.Pass(time.Second)
			}
			if c.lose > 0 {
				f.LoseFirst("SendCommand")
			}
			began := f.Clock()
			seen, err := run[*patch.Bake](f, 20*time.Minute, f.aws.WatchBake, watch)
			require.Equal(t, c.commands, f.Effects("SendCommand"), "not a command a look")
			if c.want != "" {
				requireType(t, err, c.want)
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.InDelta(t, 5*time.Minute, f.Clock().Sub(began), float64(time.Minute))
			require.GreaterOrEqual(t, seen.Looks, 28, "it looks as often as the plan says")
			if c.passes == 0 {
				require.Zero(t, seen.Bad)
				return
			}
			require.Equal(t, 1, seen.Bad)
			require.Len(t, seen.Failures, 2, "both checks, each with its time")
			require.Contains(t, seen.Failures[0].What, "http /healthz on port 80 answers 0")
			require.Contains(t, seen.Failures[1].What, `the command "systemctl is-active web" exits with 3: failed`)
			require.WithinDuration(t, began.Add(c.at), seen.Failures[0].At, 30*time.Second)
		})
	}
}

// While the instance watches itself, everything else is looked at as before.
func TestABakeLooksAtTheRestMeanwhile(t *testing.T) {
	f := newFleet(t)
	watch := bakeOf(f, append(serves, patch.HealthCheck{Alarm: "web-5xx"})...)
	f.Change(func(region *world.Region, _ *world.ScalingGroup) {
		region.World.After(2*time.Minute, func() { _ = region.SetAlarm("web-5xx", "ALARM", "somebody says so") })
	})
	_, err := run[*patch.Bake](f, 20*time.Minute, f.aws.WatchBake, watch)
	requireType(t, err, activities.ErrNotHealthy)
	require.ErrorContains(t, err, "alarm web-5xx entered ALARM")
}

// What the plan has in it, and what Systems Manager keeps, holds no CA's text beyond the command that needs it, and a
// secret never.
func TestSecretsOfHealthChecksStayWithTheWorker(t *testing.T) {
	f := newFleet(t)
	in := bakeOf(f, patch.HealthCheck{HTTPS: &patch.HTTPSCheck{
		HTTPCheck: patch.HTTPCheck{Path: "/healthz", Port: 443}, ServerName: "web.example.com",
		HeadersFrom: map[string]string{"Authorization": "env:TOKEN"},
	}})
	_, err := run[*patch.Bake](f, 20*time.Minute, f.aws.WatchBake, in)
	requireType(t, err, activities.ErrInvalidInput)
	require.ErrorContains(t, err, "headers_from needs from: worker")
	require.Zero(t, f.Calls("SendCommand"))
}
