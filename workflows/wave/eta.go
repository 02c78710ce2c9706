package wave

import (
	"cmp"
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
)

// expected is how long a group was likely to take when preflight read it.
type expected struct {
	each   patch.Duration // one instance
	from   string         // what that is made of
	launch patch.Duration // one more instance, before the first goes out; 0 once that is done
	atOnce int            // so many are patched at once
}

// estimate fills in how long what is left is likely to take, from what the wave knows already. It asks nobody and
// decides nothing. Before the wave has its locks, and once it puts back, nobody can tell.
func (w *wave) estimate(ctx workflow.Context) {
	w.status.ETA = nil
	for i := range w.status.Stages {
		w.status.Stages[i].ETA = nil
	}
	switch w.status.State {
	case patch.StateAwaitingApproval, patch.StateRunning, patch.StatePaused, patch.StateOnHold,
		patch.StateSoaking:
	default:
		return
	}
	now := workflow.Now(ctx)
	whole := patch.ETA{At: now, NotCounted: w.waitsFor()}
	current := false
	for i, stage := range w.plan.Stages {
		current = current || stage.Name == w.status.Stage
		if !current {
			continue // it has ended
		}
		if stage.After != nil && stage.Name != w.status.Stage && !w.parking.soak.isBefore(stage.Name) {
			whole.NotCounted = append(whole.NotCounted, stage.After.Words(stage.Name))
		}
		if stage.Approval != nil && stage.Name != w.status.Stage && !w.asksNobody(i) {
			whole.NotCounted = append(whole.NotCounted, "the approval of "+stage.Name)
		}
		whole.NotCounted = append(whole.NotCounted, w.stepApprovals(i)...)
		of := w.estimateStage(i, whole)
		whole.Left += of.Left
		whole.UnderWay, whole.Overdue = max(whole.UnderWay, of.UnderWay), max(whole.Overdue, of.Overdue)
	}
	whole.Done = doneAt(whole, whole.Left)
	w.status.ETA = &whole
}

// estimateStage fills in one stage, which begins when what is left before it is done, and returns its ETA; the zero
// value where nothing of it is left.
func (w *wave) estimateStage(stage int, before patch.ETA) patch.ETA {
	var works []patch.Work
	var shown []*patch.GroupCounts
	var from []string
	groups := w.roster.of(stage)
	var known patch.Duration // what the instances of the last group took that has patched any
	for _, held := range groups {
		if held.counts.Each > 0 {
			known = held.counts.Each
		}
	}
	for i, held := range groups {
		if held.counts.Phase == patch.GroupDone || held.lost {
			continue
		}
		work, basis := w.workOf(held, known, before.At)
		works, from = append(works, work), append(from, basis)
		shown = append(shown, &w.status.Stages[stage].Groups[i])
	}
	if len(works) == 0 {
		return patch.ETA{}
	}
	begins, takes := patch.Schedule(works, w.parallelIn(stage))
	soaks := w.plan.Stages[stage].StepSoaks(groups[0].at)
	whole := patch.ETA{At: before.At, Left: takes + soaks, Done: doneAt(before, before.Left+takes+soaks)}
	for i, work := range works {
		shown[i].ETA = &patch.ETA{
			At: before.At, Left: work.Left(), UnderWay: work.UnderWay(), Overdue: work.Overdue(), From: from[i],
			Done: doneAt(before, before.Left+begins[i]+work.Left()+soaks),
		}
		whole.UnderWay, whole.Overdue = max(whole.UnderWay, work.UnderWay()), max(whole.Overdue, work.Overdue())
	}
	w.status.Stages[stage].ETA = &whole
	return whole
}

// doneAt is a moment so much later; zero while that hangs on something that nobody can estimate.
func doneAt(eta patch.ETA, later patch.Duration) time.Time {
	if len(eta.NotCounted) > 0 {
		return time.Time{}
	}
	return eta.At.Add(later.D())
}

// workOf is what is left of a group. What its own instances took counts most, then those of the stage's other groups,
// known, whose bake is the same.
func (w *wave) workOf(held *lockedGroup, known patch.Duration, now time.Time) (patch.Work, string) {
	work := patch.Work{
		AtOnce: held.atOnce, Each: held.each, First: held.launch, Begun: held.view().Begun(), Shares: held.behind.All,
		Counted: w.status.CountsEvery,
	}
	basis := held.from
	if each := cmp.Or(held.counts.Each, known); each > 0 {
		work.Each, basis = each, "instances of this wave"
	}
	// Which of those done had nothing to patch is not known: at most so many are left.
	work.Instances = max(held.counts.Total-max(held.counts.Done, held.compliant), 0)
	planned := w.plan.Stages[held.stage]
	if planned.Canary != nil && held.owes() {
		left := min(max(planned.Canary.Instances-held.counts.Patched, 0), work.Instances)
		work.Soaks = planned.Canary.Longer(planned.Bake) * patch.Duration(left)
	}
	if total := held.counts.Total; total > 0 && len(held.reach.Zones) > 1 { // those of the zones that are left, by what is
		work.Soaks += planned.ZoneSoak * patch.Duration((len(held.reach.Zones)-1)*work.Instances/total)
	}
	if held.counts.Phase == patch.GroupPatching && w.status.State == patch.StateRunning {
		work.Patching, work.Spent = true, patch.Duration(now.Sub(held.since))
	}
	return work, basis
}

// waitsFor is what no estimate can tell the length of, as the wave stands.
func (w *wave) waitsFor() []string {
	var waits []string
	switch w.status.State {
	case patch.StateAwaitingApproval:
		waits = append(waits, "the approval of "+w.status.Stage)
	case patch.StateOnHold:
		waits = append(waits, "the decision that is asked for")
	case patch.StateSoaking:
		if s := w.parking.soak; s != nil { // else it has just ended
			waits = append(waits, fmt.Sprintf("the soak of %s until %s", w.status.Stage, brief.UTC(s.Until)))
		}
	case patch.StatePaused:
		waits = append(waits, "the pause")
	case patch.StateRunning:
		for _, held := range w.roster.groups {
			if held.counts.Phase == patch.GroupPaused {
				return []string{held.counts.Reason}
			}
		}
	}
	return waits
}
