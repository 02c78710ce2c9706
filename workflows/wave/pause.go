package wave

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
)

// pause lets the groups pause between two instances, as a person wants it. An instance under way is never interrupted.
func (w *wave) pause(ctx workflow.Context, stage int) {
	why := whyPaused(w.inbox.paused)
	pausable := w.roster.pausable(stage)
	for _, held := range pausable {
		held.waits = false // its reason is another now
	}
	w.order(ctx, pausable, group.Order{Kind: group.OrderPause, Why: why})
	w.enter(ctx, patch.StatePaused, w.pausedText(stage))
}

// pausedText is what a paused wave says, as long as an instance is under way and once none is.
func (w *wave) pausedText(stage int) string {
	ends := ""
	if w.roster.running(stage) > 0 {
		ends = " An instance under way ends first."
	}
	return whyPaused(w.inbox.paused) + "." + ends + " Send resume, roll back or abort."
}

// resumePaused lets the groups go on after a person's pause.
func (w *wave) resumePaused(ctx workflow.Context, stage int) {
	w.enter(ctx, patch.StateRunning, "")
	if len(w.roster.onHold(stage)) > 0 {
		return // a failure stops the others, whatever was paused; the hold's decision lets them go on
	}
	begun := w.roster.which(func(held *lockedGroup) bool { return held.stage == stage && held.view().Begun() })
	setGoing(ctx, begun)
	w.order(ctx, begun, group.Order{Kind: group.OrderResume})
}

func whyPaused(pause *patch.Decision) string {
	return fmt.Sprintf("paused by %s: %s", pause.Actor, pause.Reason)
}
