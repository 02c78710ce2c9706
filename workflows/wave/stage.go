package wave

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
)

// runStage approves, then lets the stage's groups go, at most MaxParallelGroups at once, and answers for their failures.
func (w *wave) runStage(ctx workflow.Context, number int) patch.Outcome {
	stage := w.plan.Stages[number]
	w.status.Stage, w.carried = stage.Name, 0
	if outcome := w.approve(ctx, stage, number); outcome != "" {
		return outcome
	}
	w.enter(ctx, patch.StateRunning, "")
	stopping := false
	var putBack *patch.Decision // a roll_back of a stage that runs: nothing more is begun, and then it is put back
	for {
		w.dropStale()
		if !stopping && w.paused == nil && w.verbSent(patch.RollBack) && ctx.Err() == nil {
			stopping, putBack = true, w.takeDecision()
			w.enter(ctx, patch.StateRollingBack, "")
			w.orderStage(ctx, number, group.Order{Kind: group.OrderStop})
		}
		if !stopping && (ctx.Err() != nil || w.abortSent()) {
			stopping = true
			w.reason = "aborted: " + w.whoAborted(ctx)
			w.enter(ctx, patch.StateAborting, "")
			w.orderStage(ctx, number, group.Order{Kind: group.OrderStop})
		}
		if !stopping {
			if outcome := w.rollBackPaused(ctx, number); outcome != "" {
				return outcome
			}
			w.stopWaiting(ctx, number)
			w.heedPause(ctx, number)
			w.tellWindow(ctx, number)
			w.startNext(ctx, number)
		}
		if !stopping && ctx.Err() == nil && w.windowEnded(number) {
			if outcome := w.park(ctx, number, w.resumedOutside()); outcome != "" {
				return outcome
			}
			w.enter(ctx, patch.StateRunning, "")
			continue
		}
		if w.stageDone(number, stopping) {
			break
		}
		w.awaitNews(ctx, number, stopping)
		if stopping && w.abortSent() {
			w.giveUp(ctx, number, number)
		}
		if held := w.onHold(number); len(held) > 0 && !stopping && w.running(number) == 0 {
			// One that a freeze holds must not go on when it is lifted, while a person is asked about another.
			w.orderRunning(ctx, number, group.Order{Kind: group.OrderPause, Why: heldWhy})
			if outcome := w.hold(ctx, number, held); outcome != "" {
				return outcome
			}
			w.enter(ctx, patch.StateRunning, "")
		} else if len(held) > 0 && !stopping {
			w.orderRunning(ctx, number, group.Order{Kind: group.OrderPause, Why: heldWhy})
		}
	}
	switch {
	case putBack != nil:
		return w.rollBack(ctx, number, *putBack)
	case stopping:
		return patch.Aborted
	}
	return w.judge(number)
}

const heldWhy = "waits while another group of the stage is held"

// awaitNews waits for a report, a verb, a group that is gone, or a cancel.
func (w *wave) awaitNews(ctx workflow.Context, number int, stopping bool) {
	waitCtx := ctx
	if stopping {
		waitCtx, _ = workflow.NewDisconnectedContext(ctx)
	}
	seen := w.news
	// Its only error is the cancel, which the caller looks at next.
	_ = workflow.Await(waitCtx, func() bool { return w.news > seen || w.heeds(number) || w.lost(number) != nil })
	w.noticeLost(ctx, number)
}

func (w *wave) abortSent() bool { return w.verbSent(patch.Abort) }

// verbSent tells that a verb waits to be acted on.
func (w *wave) verbSent(verb patch.Verb) bool { return w.decision != nil && w.decision.Verb == verb }

// whoAborted consumes the abort and tells whose it was.
func (w *wave) whoAborted(ctx workflow.Context) string {
	decision := w.takeDecision()
	switch {
	case decision != nil && decision.Verb == patch.Abort:
		return decision.Actor + ": " + decision.Reason
	case ctx.Err() != nil:
		return cancelled(decision)
	}
	return ""
}

// cancelled says that the wave was, and what was decided just before and is not carried out any more.
func cancelled(pending *patch.Decision) string {
	if pending == nil {
		return "the wave was cancelled"
	}
	return fmt.Sprintf("the wave was cancelled; %s by %s (%s) is not carried out", pending.Verb, pending.Actor, pending.Reason)
}
