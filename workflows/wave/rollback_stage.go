package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/service"
)

// rollBack puts back what the stage patched, or with scope wave what all stages did, the last group first.
func (w *wave) rollBack(ctx workflow.Context, number int, decision patch.Decision) patch.Outcome {
	w.reason = fmt.Sprintf("rolled back by %s: %s", decision.Actor, decision.Reason)
	w.enter(ctx, patch.StateRollingBack, "")
	clean, _ := workflow.NewDisconnectedContext(ctx)
	first := number
	if decision.Scope == patch.ScopeWave {
		first = 0
	}
	outcome := patch.RolledBack
	w.awaitLost(clean, first, number)
	for stage := number; stage >= first; stage-- {
		groups := w.stageGroups(stage)
		for i := len(groups) - 1; i >= 0; i-- {
			held := groups[i]
			if !held.started && held.carried == nil {
				continue // one that an earlier window has begun is put back as well
			}
			if held.lost {
				outcome = patch.Failed
				w.reason += fmt.Sprintf("; %s was not put back: %s", held.group, lostReason)
				continue
			}
			held.counts.Phase = patch.GroupRollingBack
			w.order(clean, held, group.Order{Kind: group.OrderRollBack, Results: held.results, Earlier: w.parkedAt})
			for !idle(held) {
				_ = workflow.Await(clean, func() bool { return idle(held) || w.abortSent() })
				if w.abortSent() {
					w.giveUp(clean, first, number)
				}
			}
			if held.child.IsReady() && held.counts.Phase != patch.GroupDone {
				held.counts.Reason = lostReason
				outcome = patch.Failed
				w.reason += fmt.Sprintf("; %s was not put back whole: %s", held.group, lostReason)
				continue
			}
			if held.counts.Phase == patch.GroupHeld || failedOf(held) {
				outcome = patch.Failed
				w.reason += fmt.Sprintf("; %s could not be put back whole: %s", held.group, notWhole(held))
			}
		}
		w.status.Stages[stage].Outcome = outcome
	}
	return outcome
}

// awaitLost waits until the instances of groups whose workflow is gone have been put back by their own: only then may others
// of their service be taken out. A person who gives up (abort) is not kept waiting; the service's lock waits on.
func (w *wave) awaitLost(ctx workflow.Context, first, last int) {
	var lost []patch.Group
	for number := first; number <= last; number++ {
		w.noticeLost(ctx, number)
		for _, held := range w.stageGroups(number) {
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
		// Its only errors are the cancel below and an evidence store that nobody can read: neither may keep the others patched.
		_ = service.AwaitClosed(c, w.status.WaveID, lost)
		over = true
	})
	_ = workflow.Await(ctx, func() bool { return over || w.abortSent() })
}

// notWhole names the instances that were not put back, with what each says; the group's word where it names none.
func notWhole(held *lockedGroup) string {
	var said []string
	for _, instance := range held.counts.Failed {
		if instance.Outcome == patch.Failed || instance.Outcome == patch.Quarantined {
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

func failedOf(held *lockedGroup) bool {
	for _, instance := range held.counts.Failed {
		if instance.Outcome == patch.Failed || instance.Outcome == patch.Quarantined {
			return true
		}
	}
	return false
}
