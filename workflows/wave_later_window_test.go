package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// inTwelveHours is twoWindows with backups that are young enough still when the second window opens.
func (b *bench) inTwelveHours(cutoff time.Duration) {
	b.twoWindows(cutoff)
	next := b.env.Now().Add(12 * time.Hour)
	b.plans.following = []patch.Window{{Opens: next, Cutoff: next.Add(5 * time.Hour), Closes: next.Add(6 * time.Hour)}}
}

// The plan rolls back where nobody answers; what an earlier window patched is put back by a person only.
func TestNobodysSilenceRollsBackWhatAnEarlierWindowPatched(t *testing.T) {
	b := newBench(t, benchOptions{
		scenario: "healthy", config: quick,
		fleet: also(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Group: "web", Nth: 3}),
	})
	b.silent = true
	b.inTwelveHours(inTheMiddle)
	b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateAwaitingApproval }, func(patch.WaveStatus) { b.mustTake(patch.Approve, asked("go")) })
	earlier := 0
	b.when(isParked, func(patch.WaveStatus) {
		earlier = len(b.patchedNow())
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Resume, asked("go on at night")) }, 2*time.Hour)
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, 2, earlier)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	require.Contains(t, result.Reason, "nobody answered within 30m0s, and what an earlier window patched is put back by a person only")
	require.Equal(t, 2, count(production(result), patch.Patched))
	require.Equal(t, 1, count(production(result), patch.RolledBack), "the one that failed was put back at once")
	b.requireInvariants(result, after{})
}

// A group that an earlier window has begun and this one has not is put back with its stage.
func TestRollBackPutsBackAGroupThatOnlyAnEarlierWindowBegan(t *testing.T) {
	b := newBench(t, benchOptions{
		scenario: "healthy", config: func(file []byte) []byte {
			return plan("service: web", "max_failures: 0", webOnly, webAndAPI)(quick(file))
		},
		fleet: also(func(s *world.Scenario) {
			twoGroups(s)
			s.Accounts[1].Regions[0].TargetGroups[0].SlowStart = world.Duration(15 * time.Minute) // the first group needs longer for one
		}, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Group: "web", Nth: 2}),
	})
	b.decide = []patch.Verb{patch.RollBack}
	b.inTwelveHours(80 * time.Minute)
	var earlier []string
	b.when(isParked, func(patch.WaveStatus) {
		earlier = b.patchedNow()
		b.sim.Inspect(func(w *world.World) {
			groups := map[string]int{}
			for _, id := range earlier {
				groups[w.Account(accountProduction).Region(tokyoRegion).Instance(id).Group]++
			}
			require.Len(t, groups, 2, "both groups have begun: %v", groups)
		})
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Resume, asked("go on at night")) }, 2*time.Hour)
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.NotEmpty(t, earlier)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Zero(t, count(production(result), patch.Patched), "%v", production(result))
	require.Equal(t, len(earlier)+1, count(production(result), patch.RolledBack), "%v", production(result))
	require.Empty(t, b.patchedNow())
	b.requireInvariants(result, after{})
}

// A verb that was to act when the next window opens says so where no other follows.
func TestAVerbThatNoWindowFollowsIsNamed(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: quick})
	b.silent = true
	b.twoWindows(3 * time.Hour)
	b.plans.following = nil
	b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateAwaitingApproval }, func(patch.WaveStatus) {
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Approve, asked("too late")) }, 5*time.Hour)
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	require.Contains(t, result.Reason, "approve by tester (too late) cannot act any more: no other window follows")
	require.Empty(t, b.effects("EnterStandby"))
	b.requireInvariants(result, after{})
}
