package reconcile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// A wave dies with one out whose group counts weights: its weight comes back with it, also where it was terminated
// meanwhile and another is launched in its place.
func TestReconcileGivesAWeightBack(t *testing.T) {
	for _, c := range []struct {
		name       string
		nth        int // of the standbys
		terminated bool
	}{
		{"a light one is out", 1, false},
		{"a heavy one is out", 2, false},
		{"one is out, and gone", 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			weights := []int{2, 4}
			if c.terminated {
				weights = []int{4} // what is launched weighs the same
			}
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Weighted(8, 12, 12, weights...),
				Config: wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
					"approval: {required: false}")),
			})
			scene.DieAt(wavetest.Production, "EnterStandby", c.nth)
			except := wavetest.Except{}
			scene.Production(func(g *world.ScalingGroup) {
				require.Less(t, g.Desired, 12)
				for _, member := range g.Members() {
					if out := member.State != world.LifecycleInService; out && c.terminated {
						except = wavetest.Except{Newcomers: 1, Out: []string{member.Instance.ID}}
						member.Instance.Terminate()
					}
				}
			})
			result := scene.Reconcile(workflows.ReconcileRequest{}, 2*time.Hour)
			require.Empty(t, result.Failed)
			scene.RequireInvariants(nil, except)
		})
	}
}
