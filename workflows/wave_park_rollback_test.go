package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// patchedNow are production's instances that carry the patches.
func (b *bench) patchedNow() (ids []string) {
	b.sim.Inspect(func(w *world.World) {
		for _, instance := range w.Account(accountProduction).Region(tokyoRegion).Instances() {
			if instance.State == world.Running && instance.BehindBy() <= 1 {
				ids = append(ids, instance.ID)
			}
		}
	})
	return ids
}

// backupOf is an instance's snapshot.
func backupOf(b *bench, w *world.World, id string) *world.Snapshot {
	region := w.Account(accountProduction).Region(tokyoRegion)
	for _, snapshot := range region.Snapshots() {
		if snapshot.Volume == region.Instance(id).RootVolume {
			return snapshot
		}
	}
	require.Fail(b.t, "no snapshot of "+id)
	return nil
}

// Who rolls back a wave that was parked puts back only what loses nothing but its patches: the others stay patched and in
// service, and the wave names each with what to do.
func TestRollBackAfterAParkedWindowLooksBeforeItTouches(t *testing.T) {
	const accept = "`patchtide wave roll-back wave-test --accept-loss`"
	for _, c := range []struct {
		name   string
		config func([]byte) []byte
		after  time.Duration // from the parking to the roll_back
		change func(b *bench, w *world.World, id string)
		both   bool // it is of both instances
		reason []string
	}{
		{name: "its backup is gone", after: time.Hour, change: func(b *bench, w *world.World, id string) {
			require.NoError(b.t, w.Account(accountProduction).Region(tokyoRegion).DeleteSnapshot(backupOf(b, w, id).ID))
		}, reason: []string{"is gone", "mend it by hand"}},
		{name: "its backup is in error", after: time.Hour, change: func(b *bench, w *world.World, id string) {
			backupOf(b, w, id).State = "error"
		}, reason: []string{"ended in error", "mend it by hand"}},
		{name: "its backup never completes", after: time.Hour, change: func(b *bench, w *world.World, id string) {
			backupOf(b, w, id).State = "pending"
		}, reason: []string{"gave up waiting", "stays patched"}},
		{
			name: "its backup is past its retention", after: 2 * time.Hour, config: plan("    restore: root_volume\n", "    restore: root_volume\n    retention: 1h\n"),
			both: true, change: func(*bench, *world.World, string) {}, reason: []string{"past its retention", accept},
		},
		{name: "deployed since", after: time.Hour, change: func(_ *bench, w *world.World, id string) {
			w.Account(accountProduction).Region(tokyoRegion).Instance(id).Deploy("2.5")
		}, reason: []string{"what was deployed or changed", accept}},
		{name: "it is a day old", after: 25 * time.Hour, both: true, change: func(*bench, *world.World, string) {}, reason: []string{"rollback_max_age (24h", accept}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := quick
			if c.config != nil {
				config = func(file []byte) []byte { return c.config(quick(file)) }
			}
			b := newBench(t, benchOptions{scenario: "healthy", config: config})
			b.twoWindows(inTheMiddle)
			victim, out := "", 0
			b.when(isParked, func(patch.WaveStatus) {
				out = len(b.effects("EnterStandby"))
				victim = b.patchedNow()[0]
				b.env.RegisterDelayedCallback(func() {
					b.sim.Inspect(func(w *world.World) { c.change(b, w, victim) })
					b.mustTake(patch.RollBack, asked("bad"))
				}, c.after)
			})
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, 2, out)
			require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
			left, putBack := 1, 1
			if c.both {
				left, putBack = 2, 0
			}
			require.Equal(t, left, count(production(result), patch.Failed), "%v: %s", production(result), result.Reason)
			require.Equal(t, putBack, count(production(result), patch.RolledBack))
			require.Len(t, b.effects("EnterStandby"), out+putBack, "one that is left patched is not taken out")
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
			b.requireInvariants(result, after{})
			b.requireVersions(result)
		})
	}
}

// What an earlier window patched is judged; what this window patched is put back as ever, whatever was deployed on it since.
func TestRollBackInALaterWindowJudgesWhatTheEarlierOnePatched(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: quick})
	next := b.twoWindows(inTheMiddle)
	deploy := func(id string) {
		b.sim.Inspect(func(w *world.World) { w.Account(accountProduction).Region(tokyoRegion).Instance(id).Deploy("2.5") })
	}
	var earlier, later []string
	b.when(isParked, func(patch.WaveStatus) {
		earlier = b.patchedNow()
		deploy(earlier[0])
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Resume, asked("go on at night")) }, time.Hour)
		b.env.RegisterDelayedCallback(func() {
			b.when(func(patch.WaveStatus) bool { return len(b.effects("EnterStandby")) == 4 }, func(patch.WaveStatus) {
				later = slices.DeleteFunc(b.patchedNow(), func(id string) bool { return slices.Contains(earlier, id) })
				for _, id := range later {
					deploy(id)
				}
				b.mustTake(patch.RollBack, asked("bad"))
			})
		}, next.Sub(b.env.Now()))
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Len(t, earlier, 2)
	require.Len(t, later, 1)
	require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
	require.Equal(t, 1, count(production(result), patch.Failed), "%v", production(result))
	require.Equal(t, 2, count(production(result), patch.RolledBack), "%v", production(result))
	require.Contains(t, result.Reason, earlier[0]+": an earlier window patched it, and putting it back would lose, beyond the patches: what was deployed")
	b.requireInvariants(result, after{})
	b.requireVersions(result)
}

// Another wave's end deletes what is past its retention, but nothing by which a parked wave may still be rolled back.
func TestTheBackupsOfAParkedWaveOutliveTheirRetention(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: func(file []byte) []byte {
		return unattended(plan("    restore: root_volume\n", "    restore: root_volume\n    retention: 1h\n")(quick(file)))
	}})
	next := b.twoWindows(inTheMiddle)
	b.locks["wave-1"] = ""
	b.play(func(h history) {
		first := h.begin("wave-1", "web")
		h.until(next)
		second := h.begin("wave-2", "web")
		require.Equal(t, patch.Succeeded, h.ends(second).Outcome)
		require.Equal(t, 4, b.backupsOf("wave-1"))
		h.ends(first) // nobody resumed it
		require.Equal(t, 4, b.backupsOf("wave-1"), "its own are left to the next wave's end, or to Reconcile")
		require.NotEmpty(t, b.effects("DeleteSnapshot"), "the other wave has closed, and its backups are an hour old")
		delete(b.locks, "wave-1")
	})
	require.NotEmpty(t, b.reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
}

// backupsOf counts the snapshots that a wave took and that are still there.
func (b *bench) backupsOf(wave string) (n int) {
	b.eachRegion(func(region *world.Region) {
		for _, snapshot := range region.Snapshots() {
			if snapshot.Tags[names.TagWave] == wave {
				n++
			}
		}
	})
	return n
}
