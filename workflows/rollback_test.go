package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// history is what happens to a fleet in one test: waves, roll backs and what others do meanwhile, one after the other.
type history struct {
	ctx workflow.Context
	b   *bench
}

// wave runs a wave to its end.
func (h history) wave(id string) *patch.WaveResult {
	child := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: id})
	var result patch.WaveResult
	require.NoError(h.b.t, workflow.ExecuteChildWorkflow(child, names.PatchWave, theWeb).Get(child, &result))
	return &result
}

// rollBack asks for a wave to be rolled back.
func (h history) rollBack(wave string, acceptLoss bool) (*patch.WaveResult, error) {
	child := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: names.RollBack(wave)})
	var result patch.WaveResult
	err := workflow.ExecuteChildWorkflow(child, names.RollBackWave, workflows.RollBackRequest{
		WaveID: wave, Actor: "tester", Reason: "the test says so", AcceptLoss: acceptLoss,
	}).Get(child, &result)
	return &result, err
}

// later lets time pass for everybody.
func (h history) later(d time.Duration) { require.NoError(h.b.t, workflow.Sleep(h.ctx, d)) }

// refusedAs requires that a roll back was refused with that type and those words, before anything was changed.
func (h history) refusedAs(wave string, acceptLoss bool, errorType string, words ...string) {
	h.b.t.Helper()
	before := len(h.b.effects("CreateReplaceRootVolumeTask")) + len(h.b.effects("EnterStandby")) + len(h.b.effects("DeregisterTargets"))
	_, err := h.rollBack(wave, acceptLoss)
	var failure *temporal.ApplicationError
	require.True(h.b.t, errors.As(err, &failure), "%v", err)
	require.Equal(h.b.t, errorType, failure.Type(), failure.Message())
	for _, part := range words {
		require.Contains(h.b.t, failure.Message(), part)
	}
	require.Equal(h.b.t, before, len(h.b.effects("CreateReplaceRootVolumeTask"))+len(h.b.effects("EnterStandby"))+len(h.b.effects("DeregisterTargets")))
}

var unattended = plan("approval: {required: true, timeout: 24h}", "approval: {required: false}")

// play runs one history on a bench.
func (b *bench) play(story func(history)) {
	b.t.Helper()
	b.photo = b.photograph()
	root := func(ctx workflow.Context) error { story(history{ctx: ctx, b: b}); return nil }
	b.env.RegisterWorkflowWithOptions(root, workflow.RegisterOptions{Name: "story"}) // closures have names in common
	b.env.ExecuteWorkflow("story")
	require.NoError(b.t, b.env.GetWorkflowError())
}

// restored counts the root volumes put back.
func (b *bench) restored() int { return len(b.effects("CreateReplaceRootVolumeTask")) }

func TestRollBackWavePutsAClosedWaveBackOnce(t *testing.T) {
	for name, fleet := range map[string]func(*world.Scenario){"decrement": sized(2, 4, 6), "surge": sized(4, 4, 4)} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", config: unattended, fleet: fleet})
			var result, again *patch.WaveResult
			b.play(func(h history) {
				wave := h.wave("wave-1")
				require.Equal(t, patch.Succeeded, wave.Outcome)
				h.later(3 * time.Hour)
				var err error
				result, err = h.rollBack("wave-1", false)
				require.NoError(t, err)
				require.Equal(t, 6, b.restored())
				again, err = h.rollBack("wave-1", false)
				require.NoError(t, err)
			})
			for _, each := range []*patch.WaveResult{result, again} {
				require.Equal(t, patch.RolledBack, each.Outcome, "%+v", each)
				require.Equal(t, "wave-1", each.PutsBack)
				require.Equal(t, "roll-back-wave-1", each.WaveID)
				require.Equal(t, map[string][]patch.Outcome{
					"staging":    {patch.RolledBack, patch.RolledBack},
					"production": {patch.RolledBack, patch.RolledBack, patch.RolledBack, patch.RolledBack},
				}, outcomes(each))
			}
			require.Contains(t, again.Reason, "nothing was left to put back")
			require.Equal(t, 6, b.restored(), "the second changed nothing")
			b.requireInvariants(result, after{})
			b.requireVersions(result)
			var kept activities.WaveDocument
			require.NoError(t, b.store.GetWave(t.Context(), "roll-back-wave-1", &kept))
			require.Equal(t, "wave-1", kept.Result.PutsBack)
		})
	}
}

// A wave run again under its id after a roll back, and rolled back again: nothing of the first time is taken for the second.
func TestRollBackOfAnotherRunMakesItsOwnAttempts(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	b.play(func(h history) {
		for round := 1; round <= 2; round++ {
			wave := h.wave("wave-" + string(rune('0'+round)))
			require.Equal(t, patch.Succeeded, wave.Outcome, "%+v", wave)
			result, err := h.rollBack(wave.WaveID, false)
			require.NoError(t, err)
			require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
			require.Equal(t, 6*round, b.restored())
			b.requireVersions(result)
		}
	})
}

func TestRollBackWaveTellsGoneInstancesApart(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	victim := ""
	var result *patch.WaveResult
	b.play(func(h history) {
		victim = h.wave("wave-1").Stages[1].Groups[0].Instances[1].ID
		b.sim.Inspect(func(w *world.World) { w.Account(accountProduction).Region(tokyoRegion).Instance(victim).Terminate() })
		h.later(time.Hour)
		var err error
		result, err = h.rollBack("wave-1", false)
		require.NoError(t, err)
	})
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Equal(t, []patch.Outcome{patch.RolledBack, patch.Gone, patch.RolledBack, patch.RolledBack}, production(result))
	require.Contains(t, result.Stages[1].Groups[0].Instances[1].Reason, "terminated or replaced since the wave")
	require.Equal(t, 5, b.restored())
	b.requireInvariants(result, after{newcomers: 1, out: []string{victim}})
}

func TestRollBackWaveAfterAGroupWasDeleted(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	var result *patch.WaveResult
	b.play(func(h history) {
		h.wave("wave-1")
		b.sim.Inspect(func(w *world.World) {
			require.NoError(t, w.Account(accountProduction).Region(tokyoRegion).DeleteScalingGroup("web"))
		})
		h.later(time.Hour)
		var err error
		result, err = h.rollBack("wave-1", false)
		require.NoError(t, err)
	})
	require.Equal(t, 4, count(production(result), patch.Gone), "%+v", result)
	require.Equal(t, 2, b.restored())
}

func TestRollBackWaveListsWhatWouldBeLost(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	b.play(func(h history) {
		first := h.wave("wave-1")
		h.refusedAs("wave-2", false, activities.ErrUnknownWave, "wave-2 left no evidence", "its id", "`evidence:`", "terminated")
		h.later(5 * 24 * time.Hour)
		// By now vim is old enough for the baseline.
		require.Equal(t, patch.Succeeded, h.wave("wave-2").Outcome)
		instance := first.Stages[0].Groups[0].Instances[0].ID
		h.refusedAs("wave-1", false, workflows.ErrDataLoss, "nothing was changed", "staging/ap-northeast-1/Role=web/"+instance,
			"rollback_max_age (24h", "packages installed, updated or removed since the wave", "--accept-loss")
		result, err := h.rollBack("wave-1", true)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
		require.Equal(t, 6, b.restored())
		// The second wave's patch went with the root volume: what is there now is neither as it left it nor as before it.
		h.refusedAs("wave-2", false, workflows.ErrDataLoss, "root volume", "somebody gave it")
		b.requireInvariants(result, after{})
	})
}

// A deployment leaves no trace among the packages, and would be lost as well.
func TestRollBackWaveAfterADeployment(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	b.play(func(h history) {
		instance := h.wave("wave-1").Stages[1].Groups[0].Instances[2].ID
		b.sim.Inspect(func(w *world.World) {
			w.Account(accountProduction).Region(tokyoRegion).Instance(instance).Deploy("2.5")
		})
		h.later(time.Hour)
		h.refusedAs("wave-1", false, workflows.ErrDataLoss, "production/ap-northeast-1/web/"+instance+": what was deployed or changed since the wave")
		result, err := h.rollBack("wave-1", true)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
		require.Equal(t, 6, b.restored())
	})
}

func TestRollBackWaveWithoutItsSnapshots(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	drop := func(result *patch.WaveResult, stage int, number int) string {
		instance := result.Stages[stage].Groups[0].Instances[number]
		account := []string{accountStaging, accountProduction}[stage]
		b.sim.Inspect(func(w *world.World) {
			require.NoError(t, w.Account(account).Region(tokyoRegion).DeleteSnapshot(instance.Backup.SnapshotID))
		})
		return instance.ID + ": its snapshot " + instance.Backup.SnapshotID + " is gone"
	}
	b.play(func(h history) {
		wave := h.wave("wave-1")
		lost := drop(wave, 1, 0)
		h.refusedAs("wave-1", false, workflows.ErrDataLoss, lost, "would stay patched")
		result, err := h.rollBack("wave-1", true)
		require.NoError(t, err)
		require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
		require.Equal(t, []patch.Outcome{patch.Failed, patch.RolledBack, patch.RolledBack, patch.RolledBack}, production(result))
		require.True(t, result.Stages[1].Groups[0].Instances[0].StillPatched)
		h.refusedAs("wave-1", true, workflows.ErrNotRestorable, lost)
		require.Equal(t, 5, b.restored())
		b.requireInvariants(result, after{})
	})
}

func TestRollBackWaveRefusesARunningWave(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	b.locks["wave-1"] = ""
	b.play(func(h history) {
		h.refusedAs("wave-1", false, workflows.ErrWaveRunning, "still runs", "roll_back", "patchtide wave roll-back wave-1 --scope wave")
	})
	require.Empty(t, b.sim.Calls())
}

// A roll back and a wave take the same locks.
func TestRollBackWaveIsRefusedWhileAWaveHoldsTheGroup(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	b.locks["patch-group/"+accountProduction+"/"+tokyoRegion+"/web"] = "wave-2"
	b.locks["patch-group/"+accountStaging+"/"+tokyoRegion+"/Role=web"] = "wave-2"
	b.play(func(h history) {
		h.wave("wave-1")
		child := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: "wave-2"})
		other := workflow.ExecuteChildWorkflow(child, names.PatchWave, theWeb)
		h.later(time.Minute)
		h.refusedAs("wave-1", false, "GroupLocked", "is being patched by wave wave-2")
		require.NoError(t, other.Get(h.ctx, nil))
		result, err := h.rollBack("wave-1", false)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, result.Outcome)
	})
}

// An instance that is broken by the patch does not answer: nothing is known of it, which a person must accept.
func TestRollBackWaveOfInstancesThatDoNotAnswer(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	b.play(func(h history) {
		id := h.wave("wave-1").Stages[0].Groups[0].Instances[0].ID
		b.sim.Inspect(func(w *world.World) {
			require.NoError(t, w.Account(accountStaging).Region(tokyoRegion).Instance(id).Stop())
		})
		h.later(10 * time.Minute)
		h.refusedAs("wave-1", false, workflows.ErrDataLoss, id+": whatever changed since the wave, which is not known: it does not answer")
	})
}
