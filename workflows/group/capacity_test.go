package group_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

func TestRoomIsMadeAndGivenBack(t *testing.T) {
	for _, c := range []struct {
		name                  string
		lowest, desired, most int
		capacity              string
		decrement             bool
	}{
		{name: "min below desired: decrement", lowest: 2, desired: 4, most: 6, capacity: "auto", decrement: true},
		{name: "min = desired, room under max: surge", lowest: 4, desired: 4, most: 6, capacity: "auto"},
		{name: "min = desired = max: surge with max raised", lowest: 4, desired: 4, most: 4, capacity: "auto"},
		{name: "surge asked for though decrement would do", lowest: 2, desired: 4, most: 6, capacity: "surge"},
		{name: "one instance only: surge", lowest: 1, desired: 1, most: 1, capacity: "auto"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Sized(c.lowest, c.desired, c.most),
				Config: wavetest.PlanWith("capacity: auto", "capacity: "+c.capacity),
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, c.desired, wavetest.CountInProduction(result, patch.Patched))
			scene.RequireInvariants(result, wavetest.Except{})
			if c.decrement {
				require.Empty(t, scene.Effects("SetDesiredCapacity"))
				return
			}
			require.Len(t, scene.Effects("TerminateInstanceInAutoScalingGroup"), 1, "one instance more for the whole group")
			raised, resized := 1, 0
			if c.desired == c.most {
				raised, resized = 0, 2 // max and desired raised at once, max lowered
			}
			require.Len(t, scene.Effects("SetDesiredCapacity"), raised)
			require.Len(t, scene.Effects("UpdateAutoScalingGroup"), resized)
		})
	}
}

func TestSurgeIsGivenBackWhenTheWaveFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		decide []patch.Verb
		want   patch.Outcome
	}{
		{"roll back", []patch.Verb{patch.RollBack}, patch.RolledBack},
		{"skip", []patch.Verb{patch.Skip, patch.Skip, patch.Skip, patch.Skip}, patch.SucceededWithSkips},
		{"abort", []patch.Verb{patch.Abort}, patch.Aborted},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Fleet: wavetest.Sized(4, 4, 4)})
			scene.Decide = c.decide
			scene.OnHold = func(patch.WaveStatus) {
				// A group must always be able to scale out: nothing of ours stays while people think.
				scene.Production(func(g *world.ScalingGroup) {
					require.Empty(t, g.Suspended)
					require.Equal(t, []int{4, 4}, []int{g.Desired, g.Max})
				})
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

func TestSurgeThatFindsNoCapacityIsRefusedAndGivenBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithFaults(wavetest.Sized(4, 4, 4), world.WorldFault{
			Kind: world.FaultNoCapacity, Group: "web", Times: -1,
		}),
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	require.Equal(t, 4, wavetest.CountInProduction(result, patch.NotStarted))
	require.Contains(t, result.Stages[1].Groups[0].Reason, "no room could be made")
	scene.RequireInvariants(result, wavetest.Except{})
}

func TestWhatTheUserSuspendedStaysSuspended(t *testing.T) {
	for _, c := range []struct {
		name      string
		suspended []string
	}{
		{"one that we would suspend too", []string{"AZRebalance"}},
		{"all that we would suspend", []string{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"}},
		{"others", []string{"ScheduledActions", "AlarmNotification"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.Suspend(c.suspended)) })
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}
