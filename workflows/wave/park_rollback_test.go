package wave_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// patchedNow are production's instances that carry the patches.
func patchedNow(scene *wavetest.Scene) (ids []string) {
	scene.Sim.Inspect(func(w *world.World) {
		for _, instance := range w.Account(wavetest.Production).Region(wavetest.Tokyo).Instances() {
			if instance.State == world.Running && instance.BehindBy() <= 1 {
				ids = append(ids, instance.ID)
			}
		}
	})
	return ids
}

// backupOf is an instance's snapshot.
func backupOf(scene *wavetest.Scene, w *world.World, id string) *world.Snapshot {
	region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
	for _, snapshot := range region.Snapshots() {
		if snapshot.Volume == region.Instance(id).RootVolume {
			return snapshot
		}
	}
	require.Fail(scene.T, "no snapshot of "+id)
	return nil
}

// Who rolls back a wave that was parked puts back only what loses nothing but its patches: the others stay patched and
// in service, and the wave names each with what to do.
func TestRollBackAfterAParkedWindowLooksBeforeItTouches(t *testing.T) {
	const accept = "`patchtide wave roll-back wave-test --accept-loss --reason \"...\"`"
	for _, c := range []struct {
		name   string
		config func([]byte) []byte
		after  time.Duration // from the parking to the roll_back
		change func(scene *wavetest.Scene, w *world.World, id string)
		both   bool // it is of both instances
		reason []string
	}{
		{name: "its backup is gone", after: time.Hour, change: func(scene *wavetest.Scene, w *world.World, id string) {
			require.NoError(scene.T,
				w.Account(wavetest.Production).Region(wavetest.Tokyo).DeleteSnapshot(backupOf(scene, w, id).ID))
		}, reason: []string{"is gone", "mend it by hand"}},
		{name: "its backup is in error", after: time.Hour, change: func(scene *wavetest.Scene, w *world.World, id string) {
			backupOf(scene, w, id).State = "error"
		}, reason: []string{"ended in error", "mend it by hand"}},
		{
			name: "its backup never completes", after: time.Hour,
			change: func(scene *wavetest.Scene, w *world.World, id string) {
				backupOf(scene, w, id).State = "pending"
			}, reason: []string{"gave up waiting", "stays patched"},
		},
		{
			name: "its backup is past its retention", after: 2 * time.Hour,
			config: wavetest.PlanWith("    restore: root_volume\n", "    restore: root_volume\n    retention: 1h\n"),
			both:   true, change: func(*wavetest.Scene, *world.World, string) {}, reason: []string{"past its retention", accept},
		},
		{name: "deployed since", after: time.Hour, change: func(_ *wavetest.Scene, w *world.World, id string) {
			w.Account(wavetest.Production).Region(wavetest.Tokyo).Instance(id).Deploy("2.5")
		}, reason: []string{"what was deployed or changed", accept}},
		{
			name: "it is a day old", after: 25 * time.Hour, both: true, change: func(*wavetest.Scene, *world.World, string) {},
			reason: []string{"rollback_max_age (24h", accept},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := quick
			if c.config != nil {
				config = func(file []byte) []byte { return c.config(quick(file)) }
			}
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: config})
			twoWindows(scene, inTheMiddle)
			victim, out := "", 0
			scene.When(isParked, func(patch.WaveStatus) {
				out = len(scene.Effects("EnterStandby"))
				victim = patchedNow(scene)[0]
				scene.Env.RegisterDelayedCallback(func() {
					scene.Sim.Inspect(func(w *world.World) { c.change(scene, w, victim) })
					scene.MustTake(patch.RollBack, wavetest.Because("bad"))
				}, c.after)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, 2, out)
			require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
			left, putBack := 1, 1
			if c.both {
				left, putBack = 2, 0
			}
			require.Equal(t, left, wavetest.CountInProduction(result, patch.Failed), "%v: %s",
				wavetest.ProductionOutcomes(result), result.Reason)
			require.Equal(t, putBack, wavetest.CountInProduction(result, patch.RolledBack))
			require.Len(t, scene.Effects("EnterStandby"), out+putBack, "one that is left patched is not taken out")
			for _, instance := range result.Stages[1].Groups[0].Instances {
				if instance.ID != victim {
					continue
				}
				require.True(t, instance.StillPatched)
				require.NotNil(t, instance.Backup, "the closed wave is rolled back by it")
				require.NotEmpty(t, instance.PackagesAfter)
				for _, words := range c.reason {
					require.Contains(t, instance.Reason, words)
				}
				require.Contains(t, result.Reason, victim+": "+instance.Reason)
			}
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// What an earlier window patched is judged; what this window patched is put back as ever, whatever was deployed on it
// since.
func TestRollBackInALaterWindowJudgesWhatTheEarlierOnePatched(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: quick})
	next := twoWindows(scene, inTheMiddle)
	deploy := func(id string) {
		scene.Sim.Inspect(func(w *world.World) {
			w.Account(wavetest.Production).Region(wavetest.Tokyo).Instance(id).Deploy("2.5")
		})
	}
	var earlier, later []string
	scene.When(isParked, func(patch.WaveStatus) {
		earlier = patchedNow(scene)
		deploy(earlier[0])
		scene.Env.RegisterDelayedCallback(func() {
			scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
		}, time.Hour)
		scene.Env.RegisterDelayedCallback(func() {
			scene.When(func(patch.WaveStatus) bool { return len(scene.Effects("EnterStandby")) == 4 }, func(patch.WaveStatus) {
				later = slices.DeleteFunc(patchedNow(scene), func(id string) bool { return slices.Contains(earlier, id) })
				for _, id := range later {
					deploy(id)
				}
				scene.MustTake(patch.RollBack, wavetest.Because("bad"))
			})
		}, next.Sub(scene.Env.Now()))
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Len(t, earlier, 2)
	require.Len(t, later, 1)
	require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
	require.Equal(t, 1, wavetest.CountInProduction(result, patch.Failed), "%v", wavetest.ProductionOutcomes(result))
	require.Equal(t, 2, wavetest.CountInProduction(result, patch.RolledBack), "%v", wavetest.ProductionOutcomes(result))
	require.Contains(t, result.Reason,
		earlier[0]+": an earlier window patched it, and putting it back would lose, beyond the patches: what was deployed")
	scene.RequireInvariants(result, wavetest.Except{})
	scene.RequireVersions(result)
}

// Another wave's end deletes what is past its retention, but nothing by which a parked wave may still be rolled back.
func TestTheBackupsOfAParkedWaveOutliveTheirRetention(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
		return wavetest.Unattended(wavetest.PlanWith("    restore: root_volume\n",
			"    restore: root_volume\n    retention: 1h\n")(quick(file)))
	}})
	next := twoWindows(scene, inTheMiddle)
	scene.Locks["wave-1"] = ""
	scene.Play(func(story wavetest.Story) {
		first := story.Begin("wave-1", "web")
		story.Until(next)
		second := story.Begin("wave-2", "web")
		require.Equal(t, patch.Succeeded, story.Ends(second).Outcome)
		require.Equal(t, 4, backupsOf(scene, "wave-1"))
		story.Ends(first) // nobody resumed it
		require.Equal(t, 4, backupsOf(scene, "wave-1"), "its own are left to the next wave's end, or to Reconcile")
		require.NotEmpty(t, scene.Effects("DeleteSnapshot"), "the other wave has closed, and its backups are an hour old")
		delete(scene.Locks, "wave-1")
	})
	require.NotEmpty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
}

// backupsOf counts the snapshots that a wave took and that are still there.
func backupsOf(scene *wavetest.Scene, wave string) (n int) {
	scene.EachRegion(func(region *world.Region) {
		for _, snapshot := range region.Snapshots() {
			if snapshot.Tags[names.TagWave] == wave {
				n++
			}
		}
	})
	return n
}
