package group_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// lowestDesired watches the least that the production group desires while a wave runs.
func lowestDesired(scene *wavetest.Scene) *int {
	lowest := 1 << 30
	var aws *world.World
	scene.Sim.Inspect(func(w *world.World) { aws = w })
	scene.Sim.SetInterceptor(func(awssim.CallInfo) awssim.Fault {
		lowest = min(lowest, scene.WebIn(aws).Desired)
		return awssim.Fault{}
	})
	return &lowest
}

// Two of weight 2 and two of weight 4: each goes out by taking desired down by its own weight, and nobody is launched.
func TestAGroupThatCountsWeights(t *testing.T) {
	for _, c := range []struct {
		name   string
		fleet  func(*world.Scenario)
		lowest int
	}{
		{"weights", wavetest.Weighted(8, 12, 12, 2, 4), 8},
		{"more serves than is desired", wavetest.Weighted(7, 11, 11, 2, 4), 7},
		{"vCPUs", func(s *world.Scenario) {
			wavetest.Weighted(8, 12, 12, 2, 4)(s)
			wavetest.EachGroup(func(g *world.GroupSpec) { g.DesiredType = "vcpu" })(s)
		}, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet})
			lowest := lowestDesired(scene)
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
			require.Equal(t, c.lowest, *lowest)
			require.Empty(t, scene.Effects("SetDesiredCapacity"))
			require.Empty(t, scene.Effects("UpdateAutoScalingGroup"))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Weights of one are instances: one more is launched where none may go out.
func TestWeightsOfOneAreInstances(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Weighted(4, 4, 6, 1)})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Len(t, scene.Effects("SetDesiredCapacity"), 1)
	scene.RequireInvariants(result, wavetest.Except{})
}

// Where the heaviest does not fit nothing is begun, though the lighter ones would: the wave says by how much.
func TestAGroupWhoseHeaviestDoesNotFit(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Weighted(9, 12, 16, 2, 4)})
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err, "would fall below min 9")
	require.ErrorContains(t, err, "raise desired by 1, or lower min by as much")
	require.Empty(t, scene.Effects("EnterStandby"))
	scene.RequireInvariants(nil, wavetest.Except{})
}

// What fails is put back, and what cannot be goes into quarantine: the group gets its weight back, by as many as AWS
// launches for that.
func TestAQuarantineGivesTheWeightBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.Unrestorable("production", wavetest.Weighted(8, 12, 12, 4)),
	})
	scene.Decide = []patch.Verb{patch.Abort}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, 1, wavetest.CountInProduction(result, patch.Quarantined), "%+v", result)
	scene.RequireInvariants(result, wavetest.Except{
		Newcomers: 1, Out: []string{result.Stages[1].Groups[0].Instances[0].ID},
	})
}

// One that is terminated on standby is still listed, and desired is short by its weight: the group gets both mended.
func TestAWeightThatIsGoneIsGivenBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Weighted(8, 12, 12, 4)})
	scene.Decide = []patch.Verb{patch.Skip}
	dead := ""
	scene.WhenAtStep(patch.StepInstall, func(id string) {
		if dead != "" {
			return
		}
		scene.Production(func(g *world.ScalingGroup) {
			if member := g.Member(id); member != nil {
				dead = id
				member.Instance.Terminate()
			}
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.NotEmpty(t, dead)
	require.Equal(t, 1, wavetest.CountInProduction(result, patch.Gone), "%+v", result)
	scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{dead}})
}

// Somebody scales the group to its max while one is out: max is raised by as much as its weight lacks, and told.
func TestAReturnRaisesMaxByTheWeight(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Weighted(8, 12, 12, 4)})
	scene.Decide = []patch.Verb{patch.Abort}
	scaled := false
	scene.WhenAtStep(patch.StepInstall, func(string) {
		scene.Production(func(g *world.ScalingGroup) {
			if !scaled && g.Desired == 8 {
				scaled = true
				require.NoError(t, g.SetDesired(11))
			}
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, scaled)
	require.NotEmpty(t, result.Stranded)
	require.Contains(t, result.Stranded[0].State, "max was raised from 12 to 15")
	scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(time.Hour)) })
	scene.Production(func(g *world.ScalingGroup) { require.Equal(t, []int{15, 15}, []int{g.Desired, g.Max}) })
}

// AWS takes desired down by one an instance, and not by its weight: the first one shows it and returns untouched,
// unless its group lets it go then for the one that was launched meanwhile, and the wave goes no further.
func TestAStandbyThatCountsInstancesIsFoundOut(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(s *world.Scenario) {
		wavetest.Weighted(8, 12, 20, 4)(s)
		s.Doubts = []world.Doubt{world.DoubtStandbyCountsInstances}
	}})
	scene.Decide = []patch.Verb{patch.Abort}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	require.Len(t, scene.Effects("EnterStandby"), 1)
	require.Contains(t, result.Stages[1].Groups[0].Instances[0].Reason, "took desired down from 12 to 11, and it weighs 4")
	require.Empty(t, result.Stranded)
	scene.RequireNothingOfOurs(wavetest.Except{})
	scene.Production(func(g *world.ScalingGroup) { require.Equal(t, 12, g.Desired) })
}
