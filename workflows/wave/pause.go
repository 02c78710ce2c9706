package wave

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
)

// heedPause makes the groups stand as a person wants them: paused between two instances, or at work again. An instance under
// way is never interrupted.
func (w *wave) heedPause(ctx workflow.Context, number int) {
	switch {
	case w.paused != nil && w.status.State == patch.StateRunning:
		why := whyPaused(w.paused)
		w.orderRunning(ctx, number, group.Order{Kind: group.OrderPause, Why: why})
		w.enter(ctx, patch.StatePaused, why+". An instance under way ends first. Send resume, roll_back or abort.")
	case w.paused == nil && w.status.State == patch.StatePaused:
		w.enter(ctx, patch.StateRunning, "")
		if len(w.onHold(number)) > 0 {
			return // a failure stops the others, whatever was paused; the hold's decision lets them go on
		}
		for _, held := range w.stageGroups(number) {
			if !held.started || idle(held) {
				continue
			}
			held.goesOn(ctx)
			w.order(ctx, held, group.Order{Kind: group.OrderResume})
		}
	}
}

func whyPaused(pause *patch.Decision) string {
	return fmt.Sprintf("paused by %s: %s", pause.Actor, pause.Reason)
}

// rollBackPaused carries out a roll_back that was sent while the wave was paused, once no instance is under way. An outcome of
// "" means that there is none, or not yet.
func (w *wave) rollBackPaused(ctx workflow.Context, number int) patch.Outcome {
	if w.decision == nil || w.decision.Verb != patch.RollBack || w.running(number) > 0 {
		return ""
	}
	return w.rollBack(ctx, number, *w.takeDecision())
}

// heeds tells that a verb waits which the main loop can act on now.
func (w *wave) heeds(number int) bool {
	return w.verbSent(patch.Abort) || w.verbSent(patch.RollBack) && (w.paused == nil || w.running(number) == 0)
}

// dropStale forgets a decision that answers a hold or a gate which another has ended already: nothing asks for it any more.
func (w *wave) dropStale() {
	if w.decision != nil && !w.verbSent(patch.Abort) && !w.verbSent(patch.RollBack) {
		w.takeDecision()
	}
}

// tellWindow tells the groups at work that the window closes later than they were told.
func (w *wave) tellWindow(ctx workflow.Context, number int) {
	if !w.window || w.status.Window == w.toldWindow {
		return
	}
	w.toldWindow = w.status.Window
	w.orderStage(ctx, number, group.Order{Kind: group.OrderWindow})
}
