package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// restored counts the root volumes put back.
func restored(scene *wavetest.Scene) int { return len(scene.Effects("CreateReplaceRootVolumeTask")) }

func TestRollBackWavePutsAClosedWaveBackOnce(t *testing.T) {
	for name, fleet := range map[string]func(*world.Scenario){
		"decrement": wavetest.Sized(2, 4, 6), "surge": wavetest.Sized(4, 4, 4),
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended, Fleet: fleet})
			var result, again, third *patch.WaveResult
			scene.Play(func(story wavetest.Story) {
				wave := story.Wave("wave-1")
				require.Equal(t, patch.Succeeded, wave.Outcome)
				story.Later(3 * time.Hour)
				var err error
				result, err = story.RollBack("wave-1", false)
				require.NoError(t, err)
				require.Equal(t, 6, restored(scene))
				again, err = story.RollBack("wave-1", false)
				require.NoError(t, err)
				third, err = story.RollBack("wave-1", false)
				require.NoError(t, err)
				story.RollBackRefused("roll-back-wave-1", false, "InvalidInput", "is itself a roll back", "roll that back again")
			})
			require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
			require.Equal(t, patch.NothingPutBack, again.Outcome, "%+v", again)
			for _, each := range []*patch.WaveResult{result, again} {
				require.Equal(t, "wave-1", each.PutsBack)
				require.Equal(t, "roll-back-wave-1", each.WaveID)
				require.Equal(t, map[string][]patch.Outcome{
					"staging":    {patch.RolledBack, patch.RolledBack},
					"production": {patch.RolledBack, patch.RolledBack, patch.RolledBack, patch.RolledBack},
				}, wavetest.Outcomes(each))
			}
			require.Regexp(t, `nothing was left to put back: already put back by tester at 20.* UTC$`, again.Reason)
			require.Equal(t, again.Reason[len(again.Reason)-30:], third.Reason[len(third.Reason)-30:], "the first one")
			require.Equal(t, 6, restored(scene), "the second changed nothing")
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
			var kept activities.WaveDocument
			require.NoError(t, scene.Store.GetWave(t.Context(), "roll-back-wave-1", &kept))
			require.Equal(t, "wave-1", kept.Result.PutsBack)
			require.Equal(t, "web", kept.Status.Plan, "what is shown of a roll back names its plan")
		})
	}
}

// A wave run again under its id after a roll back, and rolled back again: nothing of the first time is taken for the
// second.
func TestRollBackOfAnotherRunMakesItsOwnAttempts(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Play(func(story wavetest.Story) {
		for round := 1; round <= 2; round++ {
			wave := story.Wave("wave-" + string(rune('0'+round)))
			require.Equal(t, patch.Succeeded, wave.Outcome, "%+v", wave)
			result, err := story.RollBack(wave.WaveID, false)
			require.NoError(t, err)
			require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
			require.Equal(t, 6*round, restored(scene))
			scene.RequireVersions(result)
		}
	})
}

func TestRollBackWaveTellsGoneInstancesApart(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	victim := ""
	var result *patch.WaveResult
	scene.Play(func(story wavetest.Story) {
		victim = story.Wave("wave-1").Stages[1].Groups[0].Instances[1].ID
		scene.Sim.Inspect(func(w *world.World) {
			w.Account(wavetest.Production).Region(wavetest.Tokyo).Instance(victim).Terminate()
		})
		story.Later(time.Hour)
		var err error
		result, err = story.RollBack("wave-1", false)
		require.NoError(t, err)
	})
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Equal(t, []patch.Outcome{
		patch.RolledBack, patch.Gone, patch.RolledBack, patch.RolledBack,
	}, wavetest.ProductionOutcomes(result))
	require.Contains(t, result.Stages[1].Groups[0].Instances[1].Reason, "terminated or replaced since the wave")
	require.Equal(t, 5, restored(scene))
	scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{victim}})
}

func TestRollBackWaveAfterAGroupWasDeleted(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	var result *patch.WaveResult
	scene.Play(func(story wavetest.Story) {
		story.Wave("wave-1")
		scene.Sim.Inspect(func(w *world.World) {
			require.NoError(t, w.Account(wavetest.Production).Region(wavetest.Tokyo).DeleteScalingGroup("web"))
		})
		story.Later(time.Hour)
		var err error
		result, err = story.RollBack("wave-1", false)
		require.NoError(t, err)
	})
	require.Equal(t, 4, wavetest.CountInProduction(result, patch.Gone), "%+v", result)
	require.Equal(t, 2, restored(scene))
}

func TestRollBackWaveListsWhatWouldBeLost(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Play(func(story wavetest.Story) {
		first := story.Wave("wave-1")
		story.RollBackRefused("wave-2", false, activities.ErrUnknownWave, "wave-2 left no evidence", "its id", "`evidence:`",
			"patched anything")
		story.Later(5 * 24 * time.Hour)
		// By now vim is old enough for the baseline.
		require.Equal(t, patch.Succeeded, story.Wave("wave-2").Outcome)
		instance := first.Stages[0].Groups[0].Instances[0].ID
		story.RollBackRefused("wave-1", false, workflows.ErrDataLoss, "nothing was changed",
			"staging/ap-northeast-1/Role=web/"+instance,
			"rollback_max_age (24h", "packages installed, updated or removed since the wave", "--accept-loss")
		result, err := story.RollBack("wave-1", true)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
		require.Equal(t, 6, restored(scene))
		// The second wave's patch went with the root volume: what is there now is neither as it left it nor as before
		// it.
		story.RollBackRefused("wave-2", false, workflows.ErrDataLoss, "root volume", "somebody gave it")
		scene.RequireInvariants(result, wavetest.Except{})
	})
}

// A deployment leaves no trace among the packages, and would be lost as well.
func TestRollBackWaveAfterADeployment(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Play(func(story wavetest.Story) {
		instance := story.Wave("wave-1").Stages[1].Groups[0].Instances[2].ID
		scene.Sim.Inspect(func(w *world.World) {
			w.Account(wavetest.Production).Region(wavetest.Tokyo).Instance(instance).Deploy("2.5")
		})
		story.Later(time.Hour)
		story.RollBackRefused("wave-1", false, workflows.ErrDataLoss,
			"production/ap-northeast-1/web/"+instance+": what was deployed or changed since the wave")
		result, err := story.RollBack("wave-1", true)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
		require.Equal(t, 6, restored(scene))
	})
}

func TestRollBackWaveWithoutItsSnapshots(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	drop := func(result *patch.WaveResult, stage int, number int) string {
		instance := result.Stages[stage].Groups[0].Instances[number]
		account := []string{wavetest.Staging, wavetest.Production}[stage]
		scene.Sim.Inspect(func(w *world.World) {
			require.NoError(t, w.Account(account).Region(wavetest.Tokyo).DeleteSnapshot(instance.Backup.SnapshotID))
		})
		return instance.ID + ": its snapshot " + instance.Backup.SnapshotID + " is gone"
	}
	scene.Play(func(story wavetest.Story) {
		wave := story.Wave("wave-1")
		lost := drop(wave, 1, 0)
		story.RollBackRefused("wave-1", false, workflows.ErrDataLoss, lost, "would stay patched")
		result, err := story.RollBack("wave-1", true)
		require.NoError(t, err)
		require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
		require.Equal(t, []patch.Outcome{
			patch.Failed, patch.RolledBack, patch.RolledBack, patch.RolledBack,
		}, wavetest.ProductionOutcomes(result))
		require.True(t, result.Stages[1].Groups[0].Instances[0].StillPatched)
		story.RollBackRefused("wave-1", true, workflows.ErrNotRestorable, lost)
		require.Equal(t, 5, restored(scene))
		scene.RequireInvariants(result, wavetest.Except{})
	})
}

func TestRollBackWaveRefusesARunningWave(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Locks["wave-1"] = ""
	scene.Play(func(story wavetest.Story) {
		story.RollBackRefused("wave-1", false, workflows.ErrWaveRunning, "still runs", "roll_back",
			"patchtide wave roll-back wave-1 --scope wave")
	})
	require.Empty(t, scene.Sim.Calls())
}

// A roll back and a wave take the same locks.
func TestRollBackWaveIsRefusedWhileAWaveHoldsTheGroup(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Locks["patch-group/"+wavetest.Production+"/"+wavetest.Tokyo+"/web"] = "wave-2"
	scene.Locks["patch-group/"+wavetest.Staging+"/"+wavetest.Tokyo+"/Role=web"] = "wave-2"
	scene.Play(func(story wavetest.Story) {
		story.Wave("wave-1")
		child := workflow.WithChildOptions(story.Ctx, workflow.ChildWorkflowOptions{WorkflowID: "wave-2"})
		other := workflow.ExecuteChildWorkflow(child, names.PatchWave, wavetest.WebWave)
		story.Later(time.Minute)
		story.RollBackRefused("wave-1", false, "GroupLocked", "is being patched by wave wave-2")
		require.NoError(t, other.Get(story.Ctx, nil))
		result, err := story.RollBack("wave-1", false)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, result.Outcome)
	})
}

// What an earlier run of it had under way, when somebody terminated that, is waited for, and not taken for another's.
func TestRollBackWaveWaitsForAnEarlierRunOfItself(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	locks := []string{
		"patch-group/" + wavetest.Production + "/" + wavetest.Tokyo + "/web",
		"patch-group/" + wavetest.Staging + "/" + wavetest.Tokyo + "/Role=web",
	}
	scene.Play(func(story wavetest.Story) {
		story.Wave("wave-1")
		earlier := story.Begin("wave-2", "web") // in its place
		story.Later(time.Minute)
		for _, lock := range locks {
			scene.Hold(lock, names.RollBack("wave-1"))
		}
		workflow.Go(story.Ctx, func(ctx workflow.Context) {
			if earlier.Get(ctx, nil) != nil {
				t.Error("what holds the locks failed")
			}
			for _, lock := range locks {
				scene.Hold(lock, "")
			}
		})
		result, err := story.RollBack("wave-1", false)
		if err != nil || result.Outcome != patch.RolledBack {
			t.Errorf("%v %+v", err, result)
		}
	})
	require.Equal(t, 6, restored(scene))
}

// An instance that is broken by the patch does not answer: nothing is known of it, which a person must accept.
func TestRollBackWaveOfInstancesThatDoNotAnswer(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Play(func(story wavetest.Story) {
		id := story.Wave("wave-1").Stages[0].Groups[0].Instances[0].ID
		scene.Sim.Inspect(func(w *world.World) {
			require.NoError(t, w.Account(wavetest.Staging).Region(wavetest.Tokyo).Instance(id).Stop())
		})
		story.Later(10 * time.Minute)
		story.RollBackRefused("wave-1", false, workflows.ErrDataLoss,
			id+": whatever changed since the wave, which is not known: it does not answer")
	})
}

// What keeps a group from beginning keeps no other from being put back; where it keeps all of them, nothing is begun.
func TestRollBackWaveWhileAGroupMayNotBegin(t *testing.T) {
	t.Run("one of two", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
		scene.Play(func(story wavetest.Story) {
			story.Wave("wave-1")
			suspends("Launch")(scene)
			result, err := story.RollBack("wave-1", false)
			require.NoError(t, err)
			require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, "production/ap-northeast-1/web could not be put back whole")
			require.Contains(t, result.Reason, "ProcessSuspended")
			require.Equal(t, patch.RolledBack, result.Stages[0].Outcome, "staging is whole again")
			require.Equal(t, patch.Failed, result.Stages[1].Outcome)
			require.Equal(t, 2, restored(scene))
		})
	})
	t.Run("all", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{
			Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended),
		})
		scene.Play(func(story wavetest.Story) {
			story.Wave("wave-1")
			suspends("Launch")(scene)
			story.RollBackRefused("wave-1", false, string(patch.RefusedProcessSuspended), "Launch", "resume it")
		})
	})
}
