package wave

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/service"
)

// rollBack puts back what the stage patched, or with scope wave what all stages did, the last group first. One that
// cannot be put back whole keeps no other from it.
func (w *wave) rollBack(ctx workflow.Context, last int, decision patch.Decision) patch.Outcome {
	w.reason = fmt.Sprintf("rolled back by %s: %s", decision.Actor, decision.Reason)
	first := last
	if decision.Scope == patch.ScopeWave {
		first = 0
	}
	w.turn.backFrom = &first
	if w.status.PutsBack == "" || w.wantsAny() { // a roll back that finds nothing left puts nothing back
		w.enter(ctx, patch.StateRollingBack, "")
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	var outcomes []patch.Outcome
	w.turn.rolledBack = true
	w.awaitLost(clean, first, last)
	for stage := last; stage >= first; stage-- {
		w.status.Stage, w.status.Stages[stage].Outcome = w.plan.Stages[stage].Name, ""
		w.show(clean)
		index(clean, w.status)
		outcome := patch.RolledBack
		var groups []patch.Outcome
		for _, held := range slices.Backward(w.roster.of(stage)) {
			if !held.started && held.carried == nil {
				continue // one that an earlier window has begun is put back as well
			}
			if why, whole := w.rollBackGroup(clean, held, first, last); !whole {
				outcome = patch.Failed
				w.reason += fmt.Sprintf("; %s %s", held.group, why)
			}
			held.wasPutBack = true
			groups = append(groups, held.counts.Outcome)
		}
		outcome = outcome.JudgePutBack(groups)
		w.status.Stages[stage].Outcome = outcome
		outcomes = append(outcomes, outcome)
	}
	return patch.CombinedOutcome(outcomes)
}

// isToPutBack reports whether what a stage patched waits to be put back, or is.
func (w *wave) isToPutBack(stage int) bool {
	return w.status.PutsBack != "" || w.turn.backFrom != nil && *w.turn.backFrom <= stage
}

// rollBackGroup puts back what a group patched, while a person may give up on all that is put back. It reports
// whether the group was put back whole, and says why not.
func (w *wave) rollBackGroup(ctx workflow.Context, held *lockedGroup, first, last int) (why string, whole bool) {
	if held.lost {
		return "was not put back: " + lostReason, false
	}
	held.counts.Phase = patch.GroupRollingBack
	w.order(ctx, []*lockedGroup{held}, group.Order{
		Kind: group.OrderRollBack, Results: held.results, Earlier: w.parking.since, Image: held.image,
	})
	for !held.idle() {
		_ = workflow.Await(ctx, func() bool { return held.idle() || w.inbox.aborts() })
		if w.inbox.aborts() {
			w.giveUp(ctx, first, last)
		}
	}
	switch {
	case held.child.IsReady() && held.counts.Phase != patch.GroupDone:
		held.counts.Reason = lostReason
		return "was not put back whole: " + lostReason, false
	case held.counts.Phase == patch.GroupHeld || slices.ContainsFunc(held.counts.Failed, patch.InstanceResult.NotAsBefore):
		return "could not be put back whole: " + notWhole(held, patch.InstanceResult.NotAsBefore), false
	}
	return "", true
}

// awaitLost waits until the instances of groups whose workflow is gone have been put back by their own: only then may
// others of their service be taken out. A person who gives up (abort) is not kept waiting; the service's lock waits on.
func (w *wave) awaitLost(ctx workflow.Context, first, last int) {
	var lost []patch.Group
	for stage := first; stage <= last; stage++ {
		for _, held := range w.roster.of(stage) {
			if held.view().Vanished() {
				w.writeOff(ctx, []*lockedGroup{held})
			}
			if held.lost {
				lost = append(lost, held.group)
			}
		}
	}
	if len(lost) == 0 {
		return
	}
	asking, stop := workflow.WithCancel(ctx)
	defer stop()
	over := false
	workflow.Go(asking, func(c workflow.Context) {
		// Its only errors are the cancel below and an evidence store that nobody can read: neither may keep the others
		// patched.
		_ = service.AwaitClosed(c, w.status.WaveID, lost)
		over = true
	})
	_ = workflow.Await(ctx, func() bool { return over || w.inbox.aborts() })
}

// notWhole names such instances of a group, with what each says; the group's word where there is none.
func notWhole(held *lockedGroup, such func(patch.InstanceResult) bool) string {
	var said []string
	for _, instance := range held.counts.Failed {
		if such(instance) {
			said = append(said, instance.ID+": "+instance.Reason)
		}
	}
	if len(said) == 0 {
		return held.counts.Reason
	}
	if more := len(said) - run.MostListed; more > 0 {
		said = append(said[:run.MostListed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(said, "; ")
}
