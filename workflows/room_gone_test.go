package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// atMax lets somebody scale the group to its max and terminate the member that is on standby.
func atMax(t *testing.T, g *world.ScalingGroup) (dead string) {
	require.NoError(t, g.SetDesired(g.Max))
	for _, member := range g.Members() {
		if member.State == world.LifecycleStandby {
			dead = member.Instance.ID
			member.Instance.Terminate()
		}
	}
	require.NotEmpty(t, dead)
	return dead
}

// requireFull proves that the group has as many in service as somebody scaled it to.
func requireFull(t *testing.T, b *bench, dead string) {
	t.Helper()
	b.sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(time.Hour)) })
	b.production(func(g *world.ScalingGroup) {
		require.Equal(t, []int{6, 6}, []int{g.Desired, g.Max}, "what they scaled to")
		require.Len(t, g.Members(), 6)
		require.Nil(t, g.Member(dead))
		for _, member := range g.Members() {
			require.Equal(t, world.LifecycleInService, member.State)
		}
	})
}

// Somebody scales the group to its max while an instance is on standby that then is terminated there: no other can be launched in its
// place. What was launched for room stays; where nothing was, the group is one short of what was wanted, and that is told.
func TestAGroupAtItsMaxKeepsItsRoomForAnInstanceThatIsGone(t *testing.T) {
	short := "web is one short: somebody scaled it to its max, 6, while this one was out"
	for _, c := range []struct {
		name  string
		fleet func(*world.Scenario)
		short bool
	}{
		{"a surge stays", sized(4, 4, 6), false},
		{"no surge, which is told", sized(2, 4, 6), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: c.fleet})
			b.decide = []patch.Verb{patch.Abort}
			dead := ""
			b.whenAt(patch.StepInstall, func(string) { b.production(func(g *world.ScalingGroup) { dead = atMax(t, g) }) })
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Empty(t, result.Stranded)
			gone := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, []any{dead, patch.Gone, true}, []any{gone.ID, gone.Outcome, gone.NoRoomForAnother})
			requireFull(t, b, dead)
			told := slices.IndexFunc(gone.Notes, func(note string) bool { return len(note) >= len(short) && note[:len(short)] == short })
			require.Equal(t, c.short, told >= 0, "%v", gone.Notes)
		})
		t.Run("healed: "+c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: c.fleet})
			b.die(accountProduction, "EnterStandby", 1)
			dead := ""
			b.production(func(g *world.ScalingGroup) { dead = atMax(t, g) })
			result := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, result.Left)
			requireFull(t, b, dead)
			require.Empty(t, b.marks())
			at := slices.Index(resources(result.Healed), "instance "+dead)
			require.GreaterOrEqual(t, at, 0)
			if c.short {
				require.Contains(t, result.Healed[at].State, short)
			} else {
				require.NotContains(t, result.Healed[at].State, "one short")
			}
		})
	}
}
