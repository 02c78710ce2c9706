package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// failsOnce makes the first production install fail half-way, and later ones succeed.
func failsOnce(fleet func(*world.Scenario)) func(*world.Scenario) {
	return also(fleet, world.WorldFault{Kind: world.FaultInstallFails, Account: "production"})
}

func TestRetryTriesTheFailedInstanceAgain(t *testing.T) {
	for name, fleet := range map[string]func(*world.Scenario){"decrement": sized(2, 4, 6), "surge": sized(4, 4, 4)} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: failsOnce(fleet)})
			b.decide = []patch.Verb{patch.Retry}
			b.onHold = func(status patch.WaveStatus) {
				require.Contains(t, status.Awaiting, "Send retry, skip, roll_back or abort.")
				require.Equal(t, []patch.Verb{patch.Retry, patch.Skip, patch.RollBack, patch.Abort, patch.SetConcurrency}, status.Verbs)
			}
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, 4, count(production(result), patch.Patched))
			b.requireInvariants(result, after{})
			require.Len(t, b.effects("StartAutomationExecution"), 7, "the failed one twice, under another token")
		})
	}
}

func TestRollBackOfTheWaveReachesStagingToo(t *testing.T) {
	for _, c := range []struct {
		name    string
		scope   patch.Scope
		staging patch.Outcome
	}{
		{"stage by default", "", patch.Patched},
		{"wave", patch.ScopeWave, patch.RolledBack},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{
				scenario: "healthy",
				// The third install in production fails, so that two patched instances are there to be put back.
				fleet: also(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 3}),
			})
			b.decide, b.scope = []patch.Verb{patch.RollBack}, c.scope
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
			require.Equal(t, []patch.Outcome{patch.RolledBack, patch.RolledBack, patch.RolledBack, patch.NotStarted}, production(result))
			require.Equal(t, []patch.Outcome{c.staging, c.staging}, outcomes(result)["staging"])
			b.requireInvariants(result, after{})
			b.requireVersions(result)
		})
	}
}

// A wave need not be on hold: what is under way is put back or, once proven, finished, nothing else is begun, and then all of the
// stage goes back.
func TestRollBackOfAStageThatRuns(t *testing.T) {
	for i, c := range moments {
		if c.account != accountProduction || c.phase == "baseline" || c.phase == "first scan" || fewer(i) {
			continue
		}
		t.Run(c.phase, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.at(c.account, c.operation, c.nth, func() { b.tell(patch.RollBack, "") })
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, "rolled back by tester")
			require.Zero(t, count(production(result), patch.Patched))
			require.Equal(t, 2, count(outcomes(result)["staging"], patch.Patched), "its scope is the stage")
			b.requireInvariants(result, after{})
			b.requireVersions(result)
		})
	}
}

// requireVersions proves from the machines themselves that each carries what its outcome says.
func (b *bench) requireVersions(result *patch.WaveResult) {
	b.t.Helper()
	want := map[string]bool{}
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				want[instance.ID] = instance.WantsRollBack()
			}
		}
	}
	b.eachRegion(func(region *world.Region) {
		for _, instance := range region.Instances() {
			if patched, known := want[instance.ID]; known && instance.State == world.Running {
				// vim is too young to be approved, so a patched machine is behind by one.
				require.Equal(b.t, patched, instance.BehindBy() <= 1, "%s is behind by %d", instance.ID, instance.BehindBy())
			}
		}
	})
}

func TestWithoutRestoreAFailedInstanceIsQuarantined(t *testing.T) {
	for _, c := range []struct {
		name string
		old  []string // of the plan
	}{
		{"restore none", []string{"restore: root_volume", "restore: none"}},
		{"no backup at all", []string{"backup: snapshot", "backup: none", "restore: root_volume", "restore: none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: failsOnce(nil), config: plan(c.old...)})
			b.decide = []patch.Verb{patch.Skip}
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, 1, count(production(result), patch.Quarantined), "%v", production(result))
			victim := result.Stages[1].Groups[0].Instances[0].ID
			// Its group launches another in its place, which the wave patches too.
			b.requireInvariants(result, after{newcomers: 1, out: []string{victim}})
			b.sim.Inspect(func(w *world.World) {
				require.Equal(t, world.Running, w.Account(accountProduction).Region(tokyoRegion).Instance(victim).State, "kept for forensics")
			})
		})
	}
}

func TestRestoreReplaceLaunchesAnother(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: failsOnce(nil), config: productionOnly(plan("backup: snapshot", "backup: none", "restore: root_volume", "restore: replace"))})
	b.decide = []patch.Verb{patch.Skip}
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
	victim := result.Stages[0].Groups[0].Instances[0]
	require.Equal(t, patch.RolledBack, victim.Outcome)
	b.requireInvariants(result, after{newcomers: 1, out: []string{victim.ID}})
	require.Empty(t, b.effects("CreateSnapshot"), "backup: none")
	b.sim.Inspect(func(w *world.World) {
		instance := w.Account(accountProduction).Region(tokyoRegion).Instance(victim.ID)
		require.True(t, instance == nil || instance.State == world.Terminated)
	})
}

// What the wave itself has replaced is not there to be tried again, and stays told as rolled back; the one in its place is patched.
func TestARetryLeavesWhatWasReplaced(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: failsOnce(nil), config: productionOnly(plan("backup: snapshot", "backup: none", "restore: root_volume", "restore: replace"))})
	b.decide = []patch.Verb{patch.Retry}
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
	require.Equal(t, []patch.Outcome{patch.RolledBack, patch.Patched, patch.Patched, patch.Patched, patch.Patched}, production(result))
	victim := result.Stages[0].Groups[0].Instances[0]
	require.True(t, victim.Replaced)
	b.requireInvariants(result, after{newcomers: 1, out: []string{victim.ID}})
}

func TestARestoreThatFailsQuarantines(t *testing.T) {
	for _, kind := range []string{world.FaultSnapshotFails, world.FaultRootReplaceFails, world.FaultRootReplaceDetaches} {
		t.Run(kind, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: also(failsOnce(nil), world.WorldFault{Kind: kind, Account: "production"})})
			b.decide = []patch.Verb{patch.Abort}
			result, err := b.run(theWeb)
			require.NoError(t, err)
			victim := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, patch.Quarantined, victim.Outcome, "%+v", victim)
			require.NotEmpty(t, victim.Notes)
			b.requireInvariants(result, after{newcomers: 1, out: []string{victim.ID}})
		})
	}
}

func TestAnInstanceOfATagGroupThatCannotBeRestoredStaysDeregistered(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: also(nil,
		world.WorldFault{Kind: world.FaultInstallFails, Account: "staging"}, world.WorldFault{Kind: world.FaultRootReplaceFails, Account: "staging"})})
	b.decide = []patch.Verb{patch.Abort}
	result, err := b.run(theWeb)
	require.NoError(t, err)
	victim := result.Stages[0].Groups[0].Instances[0]
	require.Equal(t, patch.Quarantined, victim.Outcome, "%+v", victim)
	b.requireInvariants(result, after{out: []string{victim.ID}})
}
