package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
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
			b := newBench(t, benchOptions{
				scenario: "healthy", fleet: sized(c.lowest, c.desired, c.most), config: plan("capacity: auto", "capacity: "+c.capacity),
			})
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, c.desired, count(production(result), patch.Patched))
			b.requireInvariants(result, after{})
			if c.decrement {
				require.Empty(t, b.effects("SetDesiredCapacity"))
				return
			}
			require.Len(t, b.effects("TerminateInstanceInAutoScalingGroup"), 1, "one instance more for the whole group")
			raised, resized := 1, 0
			if c.desired == c.most {
				raised, resized = 0, 2 // max and desired raised at once, max lowered
			}
			require.Len(t, b.effects("SetDesiredCapacity"), raised)
			require.Len(t, b.effects("UpdateAutoScalingGroup"), resized)
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
			b := newBench(t, benchOptions{scenario: "bad-patch", fleet: sized(4, 4, 4)})
			b.decide = c.decide
			b.onHold = func(patch.WaveStatus) {
				// A group must always be able to scale out: nothing of ours stays while people think.
				b.production(func(g *world.ScalingGroup) {
					require.Empty(t, g.Suspended)
					require.Equal(t, []int{4, 4}, []int{g.Desired, g.Max})
				})
			}
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			b.requireInvariants(result, after{})
		})
	}
}

func TestSurgeThatFindsNoCapacityIsRefusedAndGivenBack(t *testing.T) {
	b := newBench(t, benchOptions{
		scenario: "healthy", fleet: also(sized(4, 4, 4), world.WorldFault{Kind: world.FaultNoCapacity, Group: "web", Times: -1}),
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	require.Equal(t, 4, count(production(result), patch.NotStarted))
	require.Contains(t, result.Stages[1].Groups[0].Reason, "no room could be made")
	b.requireInvariants(result, after{})
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
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.production(func(g *world.ScalingGroup) { require.NoError(t, g.Suspend(c.suspended)) })
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			b.requireInvariants(result, after{})
		})
	}
}
