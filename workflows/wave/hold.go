package wave

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
)

// hold stops the stage after a failure, or goes on by itself while the stage may carry it. Otherwise it waits for a person,
// and after the timeout decides as the plan says. An outcome of "" means the stage goes on.
func (w *wave) hold(ctx workflow.Context, number int, held []*lockedGroup) patch.Outcome {
	stage := w.plan.Stages[number]
	// Held for another reason than a fresh failure, a group would only be held again, without end.
	if failures := w.failures(number); failures > 0 && failures <= stage.MaxFailures && failures > w.carried {
		w.carried = failures
		w.tellFailures(ctx, held...)
		w.resume(ctx, number, held, group.OrderSkip)
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
		w.resume(ctx, number, held, group.OrderRetry)
		return ""
	case patch.Skip:
		if outcome := w.awaitWindow(ctx, number, decision); outcome != "" {
			return outcome
		}
		w.resume(ctx, number, held, group.OrderSkip)
		return ""
	case patch.RollBack:
		return w.rollBack(ctx, number, decision)
	}
	w.reason = "aborted: " + decision.Actor + ": " + decision.Reason
	w.enter(ctx, patch.StateAborting, "")
	w.orderStage(ctx, number, group.Order{Kind: group.OrderStop})
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
func (w *wave) resume(ctx workflow.Context, number int, held []*lockedGroup, kind group.OrderKind) {
	for _, one := range held {
		one.goesOn(ctx)
		w.order(ctx, one, group.Order{Kind: kind})
	}
	if w.paused != nil {
		return // the verb resume lets them go on
	}
	for _, paused := range w.stageGroups(number) {
		if paused.counts.Phase == patch.GroupPaused {
			paused.goesOn(ctx)
			w.order(ctx, paused, group.Order{Kind: group.OrderResume})
		}
	}
}
