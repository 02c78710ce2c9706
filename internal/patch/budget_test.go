package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func ofMinutes(all ...int) []patch.Duration {
	list := make([]patch.Duration, len(all))
	for i, m := range all {
		list[i] = patch.Duration(time.Duration(m) * time.Minute)
	}
	return list
}

func TestWhatWasMeasuredReplacesAnEstimate(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	for name, c := range map[string]struct {
		measured []patch.Duration
		want     int // minutes; the estimate is 20
	}{
		"none":                               {nil, 20},
		"one that was quick proves little":   {ofMinutes(3), 20},
		"one that was slow is believed":      {ofMinutes(45), 45},
		"four":                               {ofMinutes(3, 4, 5, 6), 20},
		"five: the longest of them":          {ofMinutes(3, 9, 5, 6, 4), 9},
		"nineteen: the longest":              {ofMinutes(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 60), 60},
		"twenty: one may be out of the rule": {ofMinutes(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 60), 1},
		"a hundred, in any order":            {ofMinutes(hundred...), 95},
	} {
		t.Run(name, func(t *testing.T) {
			estimates := patch.Estimates{Patch: patch.Duration(20 * time.Minute), RollBack: patch.Duration(30 * time.Minute)}
			got := estimates.With(patch.Measured{Patches: c.measured})
			require.Equal(t, time.Duration(c.want)*time.Minute, got.Patch.D())
			require.Equal(t, len(c.measured), got.Patches)
			require.Equal(t, 30*time.Minute, got.RollBack.D(), "the other is its own")
			require.Equal(
				t, time.Duration(c.want)*time.Minute,
				patch.Estimates{RollBack: estimates.Patch}.With(patch.Measured{RollBacks: c.measured}).RollBack.D(),
			)
		})
	}
}

func TestMeasureReadsWhatWavesLeft(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	result := patch.WaveResult{Stages: []patch.StageResult{{Groups: []patch.GroupResult{{Instances: []patch.InstanceResult{
		{Outcome: patch.Patched, Started: at, Ended: at.Add(12 * time.Minute)},
		{
			Outcome: patch.RolledBack, Started: at, Ended: at.Add(50 * time.Minute), PutBackIn: patch.Duration(25 * time.Minute),
		},
		{Outcome: patch.AlreadyCompliant},
		{Outcome: patch.Patched}, // of a release that kept no times
		{Outcome: patch.Failed, Started: at, Ended: at.Add(time.Minute)},
	}}}}}}
	var m patch.Measured
	m.Measure(result)
	require.Equal(t, patch.Measured{Patches: ofMinutes(12), RollBacks: ofMinutes(25)}, m)
}

func TestABakeThatOutlastsTheEstimate(t *testing.T) {
	timing, m := patch.DefaultTiming(), func(minutes int) patch.Duration { return patch.Duration(time.Duration(minutes) * time.Minute) }
	measured := patch.Estimates{Patch: m(20), Patches: 7, RollBack: m(5)}
	require.Equal(t, measured, measured.Baking(timing, m(19)))
	require.Equal(t, patch.Estimates{Patch: m(80), RollBack: m(5)}, measured.Baking(timing, m(60)))
}

// A bake by a metric may end later than its own time: a period has to end, and to be there.
func TestABakeByAMetricNeedsMoreOfTheWindow(t *testing.T) {
	plan := patch.Plan{Timing: patch.DefaultTiming()}
	stage := patch.Stage{Bake: patch.Duration(10 * time.Minute)}
	without := plan.Budget(stage, nil)
	check := patch.MetricCheck{Period: patch.Duration(time.Minute), Delay: patch.Duration(3 * time.Minute)}
	stage.Health = []patch.HealthCheck{{Metric: &check}}
	with := plan.Budget(stage, nil)
	require.Equal(t, without.OnItsWay()+check.Needs(), with.OnItsWay())
	require.Equal(t, without.Total()+check.Needs().D(), with.Total())
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	window := &patch.Window{Opens: at, Cutoff: at.Add(without.Total()), Closes: at.Add(time.Hour * 9)}
	fits, why := window.HasRoomFor(at, with)
	require.False(t, fits)
	require.Contains(t, why, ", metrics 5m0s)")
}

func TestHasRoomFor(t *testing.T) {
	opens := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	window := &patch.Window{Opens: opens, Cutoff: opens.Add(3 * time.Hour), Closes: opens.Add(4 * time.Hour)}
	m := func(minutes int) patch.Duration { return patch.Duration(time.Duration(minutes) * time.Minute) }
	estimates := patch.Estimates{Patch: m(20), RollBack: m(30), Snapshot: m(15), Volume: m(10)}
	groups := []patch.TargetGroup{
		{DeregistrationDelay: m(5), SlowStart: m(1)}, {DeregistrationDelay: m(2), SlowStart: m(9)}, {},
	}
	for name, c := range map[string]struct {
		restore patch.Restore
		backup  patch.Backup
		groups  []patch.TargetGroup
		needs   int
	}{
		"all of it":                      {patch.RestoreRootVolume, patch.BackupSnapshot, groups, 20 + 30 + 15 + 10 + 5 + 9},
		"no target group":                {patch.RestoreRootVolume, patch.BackupSnapshot, nil, 20 + 30 + 15 + 10},
		"replaced: no volume of its own": {patch.RestoreReplace, patch.BackupSnapshot, groups, 20 + 30 + 5 + 9},
		"no way back":                    {patch.RestoreNone, patch.BackupNone, groups, 20 + 5 + 9},
	} {
		t.Run(name, func(t *testing.T) {
			budget := patch.BudgetOf(estimates, c.restore, c.backup, c.groups)
			require.Equal(t, time.Duration(c.needs)*time.Minute, budget.Total())
			require.Equal(
				t, budget.Patch+budget.Deregistration+budget.SlowStart, budget.OnItsWay(), "putting back is no part of it",
			)
			last := window.Cutoff.Add(-budget.Total())
			fits, why := window.HasRoomFor(last, budget)
			require.True(t, fits, why)
			fits, why = window.HasRoomFor(last.Add(time.Second), budget)
			require.False(t, fits)
			require.Contains(t, why, "too little of the window is left")
			require.Contains(t, why, budget.Total().String())
		})
	}
	huge := patch.Budget{Estimates: patch.Estimates{Patch: m(600)}}
	for name, c := range map[string]struct {
		window *patch.Window
		at     time.Time
		fits   bool
		why    string
	}{
		"no window is any time":       {nil, opens, true, ""},
		"not open yet":                {window, opens.Add(-time.Second), false, "the window opens at"},
		"past the cutoff":             {window, window.Cutoff, false, "the window's cutoff was at"},
		"more than a whole window is": {window, opens, false, "3h0m0s until its cutoff"},
	} {
		t.Run(name, func(t *testing.T) {
			fits, why := c.window.HasRoomFor(c.at, huge)
			require.Equal(t, c.fits, fits)
			require.Contains(t, why, c.why)
		})
	}
}
