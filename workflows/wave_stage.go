package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
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
		if !stopping && w.paused == nil && w.verbTold(patch.RollBack) && ctx.Err() == nil {
			stopping, putBack = true, w.takeDecision()
			w.enter(ctx, patch.StateRollingBack, "")
			w.orderStage(ctx, number, GroupOrder{Kind: OrderStop})
		}
		if !stopping && (ctx.Err() != nil || w.abortTold()) {
			stopping = true
			w.reason = "aborted: " + w.whoAborted(ctx)
			w.enter(ctx, patch.StateAborting, "")
			w.orderStage(ctx, number, GroupOrder{Kind: OrderStop})
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
		if w.idle(number, stopping) {
			break
		}
		w.awaitNews(ctx, number, stopping)
		if stopping && w.abortTold() {
			w.giveUp(ctx, number, number)
		}
		if held := w.heldOf(number); len(held) > 0 && !stopping && w.running(number) == 0 {
			// One that a freeze holds must not go on when it is lifted, while a person is asked about another.
			w.orderRunning(ctx, number, GroupOrder{Kind: OrderPause, Why: heldWhy})
			if outcome := w.hold(ctx, number, held); outcome != "" {
				return outcome
			}
			w.enter(ctx, patch.StateRunning, "")
		} else if len(held) > 0 && !stopping {
			w.orderRunning(ctx, number, GroupOrder{Kind: OrderPause, Why: heldWhy})
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

// lostReason is told of a group that nobody released and that reports no more.
const lostReason = "its workflow ended before the wave released it; was it terminated?"

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

// noticeLost writes off the groups whose workflow has closed although nobody released it.
func (w *wave) noticeLost(ctx workflow.Context, number int) {
	for held := w.lost(number); held != nil; held = w.lost(number) {
		held.counts.Phase, held.counts.Outcome = patch.GroupDone, patch.Failed
		held.counts.Reason = lostReason
		held.lost = true
		w.show(ctx)
	}
}

// lost finds a group whose workflow has closed although nobody released it.
func (w *wave) lost(number int) *heldGroup {
	for _, held := range w.stageGroups(number) {
		if held.started && held.child.IsReady() && held.counts.Phase != patch.GroupDone {
			return held
		}
	}
	return nil
}

// giveUp tells groups that still put things back to stop trying and to report what is left.
func (w *wave) giveUp(ctx workflow.Context, first, last int) {
	w.takeDecision()
	for number := first; number <= last; number++ {
		w.orderStage(ctx, number, GroupOrder{Kind: OrderGiveUp})
	}
}

func (w *wave) abortTold() bool { return w.verbTold(patch.Abort) }

// verbTold tells that a verb waits to be acted on.
func (w *wave) verbTold(verb patch.Verb) bool { return w.decision != nil && w.decision.Verb == verb }

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

// startNext lets groups go while the stage has room for them.
func (w *wave) startNext(ctx workflow.Context, number int) {
	if w.paused != nil || w.stopsForLost(number) {
		return
	}
	parallel := w.parallelIn(number)
	for _, held := range w.stageGroups(number) {
		if held.started || w.begun(number) >= parallel || len(w.heldOf(number)) > 0 || w.sharesService(number, held) {
			continue
		}
		held.started = true
		held.goesOn(ctx)
		w.order(ctx, held, GroupOrder{Kind: OrderGo, Runbook: held.runbook, BaselineID: held.baselineID})
	}
}

// parallelIn is how many groups of a stage may be worked on at once.
func (w *wave) parallelIn(number int) int {
	stage := w.plan.Stages[number]
	if stage.Service != "" {
		return 1 // groups of one service are taken one instance at a time in all
	}
	if told, ok := w.parallel[stage.Name]; ok {
		return told
	}
	return max(stage.MaxParallelGroups, 1)
}

// hold stops the stage after a failure, or goes on by itself while the stage may carry it. Otherwise it waits for a person,
// and after the timeout decides as the plan says. An outcome of "" means the stage goes on.
func (w *wave) hold(ctx workflow.Context, number int, held []*heldGroup) patch.Outcome {
	stage := w.plan.Stages[number]
	// Held for another reason than a fresh failure, a group would only be held again, without end.
	if failures := w.failures(number); failures > 0 && failures <= stage.MaxFailures && failures > w.carried {
		w.carried = failures
		w.tellFailures(ctx, held...)
		w.resume(ctx, number, held, OrderSkip)
		return ""
	}
	why := ""
	for _, group := range held {
		why += fmt.Sprintf("%s: %s. ", group.group, group.counts.Reason)
	}
	if loses := w.plan.PutBackLoses(); loses != "" {
		why += "roll_back puts the others back as well: " + loses + ". "
	}
	w.enter(ctx, patch.StateOnHold, why+"Send retry, skip, roll_back or abort.")
	then, silence := stage.Silence(w.rounds > 0)
	w.tell(ctx, patch.NoticeOnHold, failing(held), unless(ctx, stage.OnFailure.Timeout, then))
	decision := w.awaitDecision(ctx, stage.OnFailure.Timeout, patch.Decision{Verb: then, Actor: "patchtide", Reason: silence, Stage: stage.Name})
	switch decision.Verb {
	case patch.Retry:
		if outcome := w.awaitWindow(ctx, number, decision); outcome != "" {
			return outcome
		}
		w.carried = 0
		w.resume(ctx, number, held, OrderRetry)
		return ""
	case patch.Skip:
		if outcome := w.awaitWindow(ctx, number, decision); outcome != "" {
			return outcome
		}
		w.resume(ctx, number, held, OrderSkip)
		return ""
	case patch.RollBack:
		return w.rollBack(ctx, number, decision)
	}
	w.reason = "aborted: " + decision.Actor + ": " + decision.Reason
	w.enter(ctx, patch.StateAborting, "")
	w.orderStage(ctx, number, GroupOrder{Kind: OrderStop})
	return patch.Aborted
}

// awaitDecision waits for a verb; after timeout (0: never) otherwise is decided. A cancel is an abort.
func (w *wave) awaitDecision(ctx workflow.Context, timeout patch.Duration, otherwise patch.Decision) patch.Decision {
	told := func() bool { return w.decision != nil }
	var err error
	answered := true
	if timeout > 0 {
		until := workflow.Now(ctx).Add(timeout.D())
		w.status.Otherwise, w.status.Until = otherwise.Verb, &until
		defer func() { w.status.Otherwise, w.status.Until = "", nil }()
		w.show(ctx)
		answered, err = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout: timeout.D(), TimerOptions: workflow.TimerOptions{Summary: string(otherwise.Verb) + names.UnlessSomebodyDecides},
		}, told)
	} else {
		err = workflow.Await(ctx, told)
	}
	switch {
	case err != nil:
		w.status.Verbs = nil // as after a person's decision
		return patch.Decision{Verb: patch.Abort, Actor: "temporal", Reason: cancelled(w.takeDecision())}
	case answered:
		return *w.takeDecision()
	}
	otherwise.At = workflow.Now(ctx)
	w.status.Verbs = nil // as after a person's decision
	w.status.Decisions = append(w.status.Decisions, otherwise)
	return otherwise
}

// resume gives the held groups an order and lets paused ones go on, unless a person's pause lasts.
func (w *wave) resume(ctx workflow.Context, number int, held []*heldGroup, kind OrderKind) {
	for _, group := range held {
		group.goesOn(ctx)
		w.order(ctx, group, GroupOrder{Kind: kind})
	}
	if w.paused != nil {
		return // the verb resume lets them go on
	}
	for _, paused := range w.stageGroups(number) {
		if paused.counts.Phase == patch.GroupPaused {
			paused.goesOn(ctx)
			w.order(ctx, paused, GroupOrder{Kind: OrderResume})
		}
	}
}
