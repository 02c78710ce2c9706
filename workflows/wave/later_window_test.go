package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// inTwelveHours is twoWindows with backups that are young enough still when the second window opens.
func inTwelveHours(scene *wavetest.Scene, cutoff time.Duration) {
	twoWindows(scene, cutoff)
	next := scene.Env.Now().Add(12 * time.Hour)
	scene.Plans.Following = []patch.Window{{Opens: next, Cutoff: next.Add(5 * time.Hour), Closes: next.Add(6 * time.Hour)}}
}

// The plan rolls back where nobody answers; what an earlier window patched is put back by a person only.
func TestNobodysSilenceRollsBackWhatAnEarlierWindowPatched(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: quick,
		Fleet: wavetest.WithFaults(nil, world.WorldFault{
			Kind: world.FaultInstallFails, Account: "production", Group: "web", Nth: 3,
		}),
	})
	scene.Silent = true
	inTwelveHours(scene, inTheMiddle)
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
		scene.MustTake(patch.Approve, wavetest.Because("go"))
	})
	earlier := 0
	scene.When(isParked, func(patch.WaveStatus) {
		earlier = len(patchedNow(scene))
		scene.Env.RegisterDelayedCallback(func() {
			scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
		}, 2*time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, 2, earlier)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	require.Contains(t, result.Reason,
		"nobody answered within 30m0s, and what an earlier window patched is put back by a person only")
	require.Equal(t, 2, wavetest.CountInProduction(result, patch.Patched))
	require.Equal(t, 1, wavetest.CountInProduction(result, patch.RolledBack), "the one that failed was put back at once")
	scene.RequireInvariants(result, wavetest.Except{})
}

// A group that an earlier window has begun and this one has not is put back with its stage.
func TestRollBackPutsBackAGroupThatOnlyAnEarlierWindowBegan(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: func(file []byte) []byte {
			return wavetest.PlanWith("service: web", "max_failures: 0", wavetest.WebOnly, wavetest.WebAndAPI)(quick(file))
		},
		Fleet: wavetest.WithFaults(func(s *world.Scenario) {
			wavetest.TwoGroups(s)
			// The first group needs longer for one.
			s.Accounts[1].Regions[0].TargetGroups[0].SlowStart = world.Duration(15 * time.Minute)
		}, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Group: "web", Nth: 2}),
	})
	scene.Decide = []patch.Verb{patch.RollBack}
	inTwelveHours(scene, 80*time.Minute)
	var earlier []string
	scene.When(isParked, func(patch.WaveStatus) {
		earlier = patchedNow(scene)
		scene.Sim.Inspect(func(w *world.World) {
			groups := map[string]int{}
			for _, id := range earlier {
				groups[w.Account(wavetest.Production).Region(wavetest.Tokyo).Instance(id).Group]++
			}
			require.Len(t, groups, 2, "both groups have begun: %v", groups)
		})
		scene.Env.RegisterDelayedCallback(func() {
			scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
		}, 2*time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.NotEmpty(t, earlier)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Zero(t, wavetest.CountInProduction(result, patch.Patched), "%v", wavetest.ProductionOutcomes(result))
	require.Equal(t, len(earlier)+1, wavetest.CountInProduction(result, patch.RolledBack), "%v",
		wavetest.ProductionOutcomes(result))
	require.Empty(t, patchedNow(scene))
	scene.RequireInvariants(result, wavetest.Except{})
}

// A verb that was to act when the next window opens says so where no other follows.
func TestAVerbThatNoWindowFollowsIsNamed(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: quick})
	scene.Silent = true
	twoWindows(scene, 3*time.Hour)
	scene.Plans.Following = nil
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
		scene.Env.RegisterDelayedCallback(func() { scene.MustTake(patch.Approve, wavetest.Because("too late")) }, 5*time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	require.Contains(t, result.Reason, "approve by tester (too late) cannot act any more: no other window follows")
	require.Empty(t, scene.Effects("EnterStandby"))
	scene.RequireInvariants(result, wavetest.Except{})
}
