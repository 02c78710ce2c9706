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
)

// noticed is how long AWS may take to notice that a target is ill.
const noticed = 5 * time.Minute

// thirdFails makes the third install of production fail half-way; it is put back, and the group is held.
func thirdFails(fleet func(*world.Scenario)) func(*world.Scenario) {
	return wavetest.WithFaults(fleet, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 3})
}

// production are the wave's results of its one production group.
func production(result *patch.WaveResult) []patch.InstanceResult {
	return result.Stages[0].Groups[0].Instances
}

// reasons are why each of them ended as it did.
func reasons(result *patch.WaveResult) (all []string) {
	for _, instance := range production(result) {
		all = append(all, instance.Reason)
	}
	return all
}

// What was quarantined is no longer the group's, and keeps no other from being patched or put back.
func TestAfterAQuarantineTheRestOfTheGroupGoesOn(t *testing.T) {
	for _, c := range []struct {
		name   string
		config []string // of the plan, beside what quarantines
		decide []patch.Verb
		want   []patch.Outcome // of the first three and of those after them; what stands in the quarantined one's place last
	}{
		{
			name: "skip", decide: []patch.Verb{patch.Skip},
			want: []patch.Outcome{patch.Patched, patch.Patched, patch.Quarantined, patch.Patched, patch.Patched},
		},
		{
			name: "retry", decide: []patch.Verb{patch.Retry},
			want: []patch.Outcome{patch.Patched, patch.Patched, patch.Quarantined, patch.Patched, patch.Patched},
		},
		{
			name: "max_failures", config: []string{
				"        # Take one out if the group's", "        max_failures: 1\n        # Take one out if the group's",
			},
			want: []patch.Outcome{patch.Patched, patch.Patched, patch.Quarantined, patch.Patched, patch.Patched},
		},
		{
			name: "roll back", decide: []patch.Verb{patch.RollBack},
			want: []patch.Outcome{patch.RolledBack, patch.RolledBack, patch.Quarantined, patch.NotStarted},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			fleet := wavetest.WithFaults(thirdFails(nil), world.WorldFault{
				Kind: world.FaultRootReplaceFails, Account: "production", Nth: 1,
			})
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: fleet, Config: wavetest.ProductionOnly(wavetest.PlanWith(c.config...)),
			})
			scene.Decide = c.decide
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.want, wavetest.Outcomes(result)["production"], "%v", reasons(result))
			victim := production(result)[2].ID
			scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{victim}})
		})
	}
}

// Whether there is room is asked of every instance that is to be put back, also of one that is ill or does not answer.
func TestRollingBackTakesOutNoSecondInstance(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: thirdFails(nil), Config: wavetest.ProductionOnly(wavetest.PlanWith()),
	})
	// The ill one stays: a person looks at it.
	scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.Suspend([]string{"ReplaceUnhealthy"})) })
	scene.Before = scene.Snapshot()
	scene.Decide = []patch.Verb{patch.RollBack}
	out := 0
	scene.OnHold = func(status patch.WaveStatus) {
		taken := scene.Effects("EnterStandby")
		out = len(taken)
		require.Len(t, taken, 3)
		scene.Sim.Inspect(func(w *world.World) {
			group := scene.WebIn(w)
			for _, member := range group.Members() {
				id := member.Instance.ID
				switch {
				case id == taken[0].Resource:
					member.Instance.StopAgent()
				case !slices.ContainsFunc(taken, func(e awssim.Event) bool { return e.Resource == id }):
					member.Instance.StopApp()
				}
			}
			w.Advance(w.Now().Add(noticed))
		})
	}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, out, len(scene.Effects("EnterStandby")), "nobody goes while another is ill")
	for _, instance := range production(result)[:2] {
		require.Equal(t, patch.Failed, instance.Outcome, "%+v", instance)
		require.True(t, instance.StillPatched)
		require.Contains(t, instance.Reason, "NoRoom")
	}
	require.Empty(t, result.Stranded)
	scene.RequireNothingOfOurs(wavetest.Except{})
}

// What the patch has made ill is put back first: it takes nothing away, and once it serves there is room for the
// others.
func TestOneIllInstanceKeepsNoOtherFromBeingPutBack(t *testing.T) {
	for _, c := range []struct {
		name          string
		continueAfter int
	}{
		{"in one run", 0},
		{"in runs of one instance", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: thirdFails(nil), Config: wavetest.ProductionOnly(wavetest.PlanWith()),
			})
			scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.Suspend([]string{"ReplaceUnhealthy"})) })
			scene.Decide = []patch.Verb{patch.RollBack}
			ill := ""
			scene.OnHold = func(patch.WaveStatus) {
				ill = scene.Effects("EnterStandby")[0].Resource
				scene.Sim.Inspect(func(w *world.World) {
					scene.WebIn(w).Member(ill).Instance.StopApp()
					w.Advance(w.Now().Add(noticed))
				})
			}
			request := wavetest.WebWave
			request.ContinueAfter = c.continueAfter
			result, err := scene.Run(request)
			require.NoError(t, err)
			require.Equal(t, []patch.Outcome{
				patch.RolledBack, patch.RolledBack, patch.RolledBack, patch.NotStarted,
			}, wavetest.Outcomes(result)["production"], "%v", reasons(result))
			require.Equal(t, ill, scene.Effects("EnterStandby")[3].Resource, "the ill one first")
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// One for which there was no room when its turn came is asked again once another has been put back: what fell ill
// meanwhile takes nothing away, comes back, and leaves room.
func TestWhoWasRefusedIsAskedAgainOnceAnotherIsBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: thirdFails(nil), Config: wavetest.ProductionOnly(wavetest.PlanWith()),
	})
	scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.Suspend([]string{"ReplaceUnhealthy"})) })
	scene.Decide = []patch.Verb{patch.RollBack}
	ill, asked := "", ""
	scene.When(wavetest.InState(patch.StateRollingBack), func(patch.WaveStatus) {
		scene.WhenAtStep(patch.StepPreflight, func(instance string) { // its first look has seen all of them well
			ill, asked = scene.Effects("EnterStandby")[0].Resource, instance
			scene.Sim.Inspect(func(w *world.World) {
				scene.WebIn(w).Member(ill).Instance.StopApp()
				w.Advance(w.Now().Add(noticed))
			})
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.NotEmpty(t, ill)
	require.NotEqual(t, ill, asked)
	require.Equal(t, []patch.Outcome{
		patch.RolledBack, patch.RolledBack, patch.RolledBack, patch.NotStarted,
	}, wavetest.Outcomes(result)["production"], "%v", reasons(result))
	require.Equal(t, ill, scene.Effects("EnterStandby")[3].Resource, "there was no room for the one that was asked first")
	scene.RequireInvariants(result, wavetest.Except{})
}
