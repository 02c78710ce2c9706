package reconcile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// A wave that dies with room for two, or in the middle of giving it back: all of it is found by the group's record.
func TestReconcileGivesBackARoomForSeveral(t *testing.T) {
	for _, c := range []struct {
		name, operation string
		nth             int
	}{
		{"just raised", "UpdateAutoScalingGroup", 1},
		{"one is out", "EnterStandby", 1},
		{"both are out", "EnterStandby", 2},
		{"one of them given back", "TerminateInstanceInAutoScalingGroup", 1},
		{"both given back, and max not yet", "TerminateInstanceInAutoScalingGroup", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Sized(4, 4, 4),
				Config: wavetest.ProductionOnly(wavetest.PlanWith("max_unavailable: 1", "max_unavailable: 2",
					"approval: {required: true, timeout: 24h}", "approval: {required: false}")),
			})
			scene.DieAt(wavetest.Production, c.operation, c.nth)
			result := scene.Reconcile(workflows.ReconcileRequest{}, 2*time.Hour)
			require.Empty(t, result.Failed)
			require.Contains(t, wavetest.Resources(result.Healed), "auto scaling group web")
			scene.RequireInvariants(nil, wavetest.Except{MaxUnavailable: 2})
		})
	}
}

// A wave dies when it has raised desired by three for which nothing was launched yet, and somebody sets it to less than
// that: nobody can tell what of it is ours, so that none of it is taken back, and that is told.
func TestReconcileLeavesADesiredThatSomebodyHasSet(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithFaults(wavetest.Sized(6, 6, 12), world.WorldFault{
			Kind: world.FaultNoCapacity, Account: "production", Times: -1,
		}),
		Config: wavetest.ProductionOnly(wavetest.PlanWith("max_unavailable: 1", "max_unavailable: 3",
			"approval: {required: true, timeout: 24h}", "approval: {required: false}")),
	})
	scene.DieAt(wavetest.Production, "SetDesiredCapacity", 1)
	scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.SetDesired(8)) })
	result := scene.Reconcile(workflows.ReconcileRequest{}, 2*time.Hour)
	require.Len(t, result.Failed, 1)
	require.Contains(t, result.Failed[0].State, "somebody changed desired from 9 to 8")
	scene.Production(func(g *world.ScalingGroup) { require.Equal(t, 8, g.Desired) })
}
