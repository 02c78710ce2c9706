package group_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Somebody changes the group between our reading and our raise: while its mark is being set. What they made is theirs
// to keep, and none of their instances stands for our room.
func TestRoomIsNeverMadeOfWhatOthersRaised(t *testing.T) {
	number := func(n int) *int { return &n }
	for _, c := range []struct {
		name      string
		fleet     func(*world.Scenario)
		sizes     world.Sizes
		held      string // why the group is held; "": the wave succeeds
		newcomers int
	}{
		{
			"scaled out by one", wavetest.Sized(4, 4, 6),
			world.Sizes{Desired: number(5)},
			"somebody changed desired from 4 to 5", 1,
		},
		{
			"scaled out by two", wavetest.Sized(4, 4, 6),
			world.Sizes{Desired: number(6)},
			"somebody changed desired from 4 to 6", 2,
		},
		{
			"scaled out by one, and max with it", wavetest.Sized(4, 4, 4), world.Sizes{
				Max: number(5), Desired: number(5),
			}, "somebody changed desired from 4 to 5", 1,
		},
		{"raised max by one", wavetest.Sized(4, 4, 4), world.Sizes{Max: number(5)}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet})
			var aws *world.World
			scene.Sim.Inspect(func(w *world.World) { aws = w })
			var theirs wavetest.Numbers
			scene.AtCall(wavetest.Production, "CreateOrUpdateTags", 1, func() {
				group := scene.WebIn(aws)
				require.NoError(t, group.Resize(c.sizes))
				theirs = wavetest.NumbersOf(group)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Empty(t, result.Stranded)
			scene.RequireNothingOfOurs(wavetest.Except{})
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(time.Hour)) })
			scene.Production(func(g *world.ScalingGroup) {
				require.Equal(t, theirs, wavetest.NumbersOf(g))
				require.Len(t, g.Members(), 4+c.newcomers)
				for _, member := range g.Members() {
					require.Equal(t, world.LifecycleInService, member.State)
				}
			})
			if c.held == "" {
				require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
				return
			}
			require.Equal(t, patch.Aborted, result.Outcome)
			require.Contains(t, result.Stages[1].Groups[0].Reason, c.held)
			require.Empty(t, scene.Effects("TerminateInstanceInAutoScalingGroup"), "none of theirs goes")
			require.Empty(t, scene.Effects("EnterStandby"), "nobody goes without room")
		})
	}
}

// Whether nothing was launched for room is doubted for a while before desired is lowered. What Auto Scaling launches in
// that while is given back by its id.
func TestRoomThatIsLaunchedWhileItIsGivenBack(t *testing.T) {
	late := false
	for failures := 29; failures <= 34; failures++ {
		t.Run(fmt.Sprintf("after %d failures", failures), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended),
				Fleet: wavetest.WithFaults(wavetest.Sized(4, 4, 4), world.WorldFault{
					Kind: world.FaultNoCapacity, Account: "production", Group: "web", Times: failures,
				}),
			})
			scene.Decide = []patch.Verb{patch.Abort}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Empty(t, result.Stages[0].Groups[0].Stranded)
			dropped := len(scene.Effects("TerminateInstanceInAutoScalingGroup"))
			late = late || dropped == 1 && result.Outcome != patch.Succeeded
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(time.Hour)) })
			scene.Production(func(g *world.ScalingGroup) {
				require.Equal(t, wavetest.Numbers{Min: 4, Max: 4, Desired: 4}, wavetest.NumbersOf(g))
				require.Len(t, g.Members(), 4)
			})
			scene.RequireNothingOfOurs(wavetest.Except{})
		})
	}
	require.True(t, late, "none was launched just then")
}

// The group is at its max by others when an instance is to come back, and somebody raises max by one just before we
// would: that is room enough, and neither told nor lowered as ours.
func TestAMaxThatSomebodyRaisesForAReturnIsTheirs(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	var aws *world.World
	scene.Sim.Inspect(func(w *world.World) { aws = w })
	full, raised, reads := false, false, 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account != wavetest.Production || raised {
			return awssim.Fault{}
		}
		group := scene.WebIn(aws)
		switch {
		case call.Operation == "CreateSnapshot":
			full = true
			require.NoError(t, group.SetDesired(group.Max))
		case full && call.Operation == "DescribeAutoScalingGroups":
			reads++
		}
		if reads == 4 { // a look at the clock, the return that is refused, what the group is then, and the raise
			raised = true
			most := group.Max + 1
			require.NoError(t, group.Resize(world.Sizes{Max: &most}))
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, raised)
	require.Equal(t, patch.Patched, result.Stages[1].Groups[0].Instances[0].Outcome)
	require.Empty(t, result.Stranded)
	require.Empty(t, scene.Effects("UpdateAutoScalingGroup"))
	scene.RequireNothingOfOurs(wavetest.Except{})
	scene.Production(func(g *world.ScalingGroup) { require.Equal(t, []int{7, 7}, []int{g.Desired, g.Max}) })
}
