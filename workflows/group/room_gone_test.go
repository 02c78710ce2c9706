package group_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
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
func requireFull(t *testing.T, scene *wavetest.Scene, dead string) {
	t.Helper()
	scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(time.Hour)) })
	scene.Production(func(g *world.ScalingGroup) {
		require.Equal(t, []int{6, 6}, []int{g.Desired, g.Max}, "what they scaled to")
		require.Len(t, g.Members(), 6)
		require.Nil(t, g.Member(dead))
		for _, member := range g.Members() {
			require.Equal(t, world.LifecycleInService, member.State)
		}
	})
}

// Somebody scales the group to its max while an instance is on standby that then is terminated there: no other can be
// launched in its place. What was launched for room stays; where nothing was, the group is one short of what was
// wanted, and that is told.
func TestAGroupAtItsMaxKeepsItsRoomForAnInstanceThatIsGone(t *testing.T) {
	short := "web is one short: somebody scaled it to its max, 6, while this one was out"
	for _, c := range []struct {
		name  string
		fleet func(*world.Scenario)
		short bool
	}{
		{"a surge stays", wavetest.Sized(4, 4, 6), false},
		{"no surge, which is told", wavetest.Sized(2, 4, 6), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet})
			scene.Decide = []patch.Verb{patch.Abort}
			dead := ""
			scene.WhenAtStep(patch.StepInstall, func(string) {
				scene.Production(func(g *world.ScalingGroup) { dead = atMax(t, g) })
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Empty(t, result.Stranded)
			gone := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, []any{dead, patch.Gone, true}, []any{gone.ID, gone.Outcome, gone.NoRoomForAnother})
			requireFull(t, scene, dead)
			told := slices.IndexFunc(gone.Notes, func(note string) bool {
				return len(note) >= len(short) && note[:len(short)] == short
			})
			require.Equal(t, c.short, told >= 0, "%v", gone.Notes)
		})
		t.Run("healed: "+c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet})
			scene.DieAt(wavetest.Production, "EnterStandby", 1)
			dead := ""
			scene.Production(func(g *world.ScalingGroup) { dead = atMax(t, g) })
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, result.Failed)
			requireFull(t, scene, dead)
			require.Empty(t, scene.Marks())
			at := slices.Index(wavetest.Resources(result.Healed), "instance "+dead)
			require.GreaterOrEqual(t, at, 0)
			if c.short {
				require.Contains(t, result.Healed[at].State, short)
			} else {
				require.NotContains(t, result.Healed[at].State, "one short")
			}
		})
	}
}

// The room that stays in the place of one that is gone is room no more: the next instance goes only where the group can
// do without it.
func TestRoomThatStaysIsNotCountedAsRoom(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.PlanWith("capacity: auto", "capacity: surge"),
		// The instance for room is launched, what they scale out to is not.
		Fleet: wavetest.WithFaults(wavetest.Sized(2, 4, 5), world.WorldFault{
			Kind: world.FaultNoCapacity, Account: "production", Group: "web", Nth: 2, Times: -1,
		}),
	})
	scene.Decide = []patch.Verb{patch.Abort}
	dead := ""
	scene.WhenAtStep(patch.StepInstall, func(string) {
		scene.Production(func(g *world.ScalingGroup) { dead = atMax(t, g) })
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	instances := result.Stages[1].Groups[0].Instances
	require.Equal(t, []any{dead, patch.Gone, true}, []any{
		instances[0].ID, instances[0].Outcome, instances[0].NoRoomForAnother,
	})
	require.Contains(t, instances[1].Reason, "of 5 wanted", "%+v", instances[1])
	require.Len(t, scene.Effects("EnterStandby"), 1, "nobody else goes")
}

// An instance that was launched only to let a failed one out again stays where the failed one is quarantined and others
// have left no room for another.
func TestItsOwnRoomStaysInThePlaceOfAQuarantinedInstance(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "bad-patch", Fleet: wavetest.WithFaults(nil, world.WorldFault{
			Kind: world.FaultRootReplaceFails, Account: "production",
		}),
	})
	scene.Decide = []patch.Verb{patch.Abort}
	var aws *world.World
	scene.Sim.Inspect(func(w *world.World) { aws = w })
	scaled := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		switch {
		case call.Account != wavetest.Production:
		case call.Operation == "ExitStandby":
			aws.After(time.Minute, func() { scene.WebIn(aws).Min = 4 }) // while it bakes
		case call.Operation == "CreateReplaceRootVolumeTask" && !scaled:
			scaled = true
			require.Equal(t, 4, scene.WebIn(aws).Desired, "one was launched for its way out")
			require.NoError(t, scene.WebIn(aws).SetDesired(scene.WebIn(aws).Max))
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, scaled)
	require.Empty(t, result.Stranded)
	first := result.Stages[1].Groups[0].Instances[0]
	require.Equal(t, []any{patch.Quarantined, true}, []any{first.Outcome, first.NoRoomForAnother}, "%+v", first)
	require.Empty(t, scene.Effects("TerminateInstanceInAutoScalingGroup"))
	requireFull(t, scene, first.ID)
}
