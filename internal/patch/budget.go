package patch

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Estimates is how long one instance of a plan takes, as its file says or as earlier waves have shown. They judge
// whether an instance may still be started in a window; nothing is cut short by them.
type Estimates struct {
	Patch    Duration `json:"patch"`     // from the first change until it is proven in service, its bake included
	RollBack Duration `json:"roll_back"` // until a failed one is back as it was
	Snapshot Duration `json:"snapshot"`  // until a snapshot is complete, which a restore waits for
	// until a restored volume, which is read from its snapshot at first, is as fast as before
	Volume    Duration `json:"volume"`
	Patches   int      `json:"patches"` // measured ones that Patch is made of; 0: it is the plan's own
	RollBacks int      `json:"roll_backs"`
}

// Measured is what earlier waves of a plan took.
type Measured struct {
	Patches, RollBacks []Duration
}

// enough is how many measured ones replace an estimate; of fewer, the longest only raises it.
const enough = 5

// With puts what was measured over the estimates: the 95th percentile of each.
func (e Estimates) With(m Measured) Estimates {
	e.Patch, e.Patches = measured(e.Patch, m.Patches), len(m.Patches)
	e.RollBack, e.RollBacks = measured(e.RollBack, m.RollBacks), len(m.RollBacks)
	return e
}

func measured(estimate Duration, all []Duration) Duration {
	switch {
	case len(all) == 0:
		return estimate
	case len(all) < enough:
		return max(estimate, slices.Max(all))
	}
	return percentile95(all)
}

// percentile95 is the nearest rank: the smallest value that 95 of a hundred do not exceed.
func percentile95(all []Duration) Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(math.Ceil(0.95*float64(len(sorted))))-1]
}

// Measure reads the durations of a wave's instances: those that were patched, but for canaries, which are watched for
// longer, and those that were put back.
func (m *Measured) Measure(result WaveResult) {
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				if took := instance.Ended.Sub(instance.Started); instance.Outcome.LeftPatched() &&
					!instance.Canary && !instance.Started.IsZero() && took > 0 {
					m.Patches = append(m.Patches, Duration(took))
				}
				if instance.PutBackIn > 0 {
					m.RollBacks = append(m.RollBacks, instance.PutBackIn)
				}
			}
		}
	}
}

// Baking is the estimates for a stage with such a bake. Where the bake alone takes longer than Patch, that says nothing
// of the stage: the usual time of an instance counts then, with the bake.
func (e Estimates) Baking(t Timing, bake Duration) Estimates {
	if e.Patch <= bake {
		e.Patch, e.Patches = t.Instance+bake, 0
	}
	return e
}

// Budget is what one instance may need of a window: being patched, failing at the very end, and being put back.
type Budget struct {
	Estimates
	Deregistration Duration // the largest of its target groups
	SlowStart      Duration // the largest of its target groups
	Hooks          HookTime // each until its timeout
	Metrics        Duration // for which a bake may be longer, until a period of a metric has ended and is there
}

// BudgetOf adds to the estimates what the group's target groups ask for. What a plan does not do costs nothing: without
// a restore there is no way back, without a snapshot none to wait for.
func BudgetOf(e Estimates, restore Restore, backup Backup, groups []TargetGroup) Budget {
	b := Budget{Estimates: e, Deregistration: Draining(groups), SlowStart: SlowStart(groups)}
	if restore == RestoreNone {
		b.RollBack = 0
	}
	if restore != RestoreRootVolume || backup == BackupNone {
		b.Snapshot, b.Volume = 0, 0
	}
	return b
}

// Budget is what one instance of a stage may need. A plan without estimates goes by the usual time of an instance.
func (p Plan) Budget(stage Stage, groups []TargetGroup) Budget {
	var estimates Estimates
	if p.Estimates != nil {
		estimates = *p.Estimates
	}
	budget := BudgetOf(estimates.Baking(p.Timing, stage.Bake), p.Restore, p.Backup, groups)
	budget.Hooks, budget.Metrics = stage.Hooks.Time(), MetricWait(stage.Health)
	return budget
}

// OnItsWay is how long one instance is likely to be on its way, from leaving service until its bake has ended, when all
// goes well: until then no calendar may close, no other patcher act, and no lifetime end.
func (b Budget) OnItsWay() Duration {
	return b.Patch + b.Deregistration + b.SlowStart + b.Hooks.Forward + b.Metrics
}

// Total is the sum.
func (b Budget) Total() time.Duration {
	return (b.Patch + b.RollBack + b.Deregistration + b.SlowStart + b.Snapshot + b.Volume + b.Hooks.Forward +
		b.Hooks.Back + b.Metrics).D()
}

// HasRoomFor reports whether an instance started at t would be patched, or else put back, before the cutoff, and if
// not, why. It is the only judge of what is left of a window.
func (w *Window) HasRoomFor(t time.Time, b Budget) (bool, string) {
	if open, why := w.Open(t); !open || w == nil {
		return open, why
	}
	left := w.Cutoff.Sub(t)
	if b.Total() <= left {
		return true, ""
	}
	return false, fmt.Sprintf(
		"too little of the window is left: %s until its cutoff at %s, and an instance may need "+
			"%s (patching %s, putting back %s, draining %s, slow start %s, snapshot %s, volume %s%s%s)",
		left.Round(time.Second),
		w.Cutoff.Format(time.RFC3339),
		b.Total(),
		b.Patch,
		b.RollBack,
		b.Deregistration,
		b.SlowStart,
		b.Snapshot,
		b.Volume,
		b.Hooks.words(),
		b.metricWords(),
	)
}

// metricWords is what metrics need, where a stage has any.
func (b Budget) metricWords() string {
	if b.Metrics == 0 {
		return ""
	}
	return ", metrics " + b.Metrics.String()
}
