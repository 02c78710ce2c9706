package wave

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// hold stops the stage after a failure, or goes on by itself while the stage may carry it. Otherwise it waits for a
// person, and after the timeout decides as the plan says. Where the stage does not go on, its outcome is told.
func (w *wave) hold(ctx workflow.Context, stage int, held []*lockedGroup) (outcome patch.Outcome, goesOn bool) {
	w.makeWait(ctx, w.roster.pausable(stage))
	w.suspect(ctx, held)
	planned := w.plan.Stages[stage]
	// Held for another reason than a fresh failure, a group would only be held again, without end. What was said or
	// cancelled while the others were told to wait counts more than what the stage may carry. What a canary failed at,
	// or one of the first step, is for a person to judge, and so is a hook that says so.
	untold := w.inbox.decision == nil && ctx.Err() == nil && !slices.ContainsFunc(held, (*lockedGroup).isFirst) &&
		!slices.ContainsFunc(held, (*lockedGroup).hooksHold)
	failures, most := w.roster.failures(stage), planned.MaxFailures.Of(w.roster.members(stage))
	if untold && failures > w.turn.carried && failures <= most {
		w.turn.carried = failures
		w.tellFailures(ctx, held...)
		return w.goOnFrom(ctx, stage, held, group.OrderSkip)
	}
	w.ask(ctx, patch.StateOnHold, held, func(also string) string { return w.holdText(stage, held, also) })
	then, silence := planned.Silence(w.turn.parked)
	timeout := planned.OnFailure.Timeout
	until := unless(ctx, timeout, then)
	w.tell(ctx, patch.NoticeOnHold, failing(held), until)
	decision := w.awaitDecision(ctx, timeout, patch.Decision{
		Verb: then, Actor: patch.ByItself, Reason: silence, Point: w.status.Point(),
	}, func(ctx workflow.Context) { w.tell(ctx, patch.NoticeOnHold, failing(held), until) })
	switch decision.Verb {
	case patch.Retry, patch.Skip:
		if outcome, goesOn = w.awaitWindow(ctx, stage, decision); !goesOn {
			return outcome, false
		}
		order := group.OrderSkip
		if decision.Verb == patch.Retry {
			order, w.turn.carried = group.OrderRetry, 0
		}
		return w.goOnFrom(ctx, stage, held, order)
	case patch.RollBack:
		return w.rollBack(ctx, stage, decision), false
	}
	w.reason = "aborted: " + decision.Actor + ": " + decision.Reason
	w.stop(ctx, stage, patch.StateAborting)
	return patch.Aborted, false
}

// holdText says what is asked about, what else holds it, and what may be sent.
func (w *wave) holdText(stage int, held []*lockedGroup, also string) string {
	why := ""
	for _, one := range held {
		why += fmt.Sprintf("%s: %s. ", one.group, one.counts.Reason)
		if one.counts.Serving != "" {
			why += one.counts.Serving + ". "
		}
	}
	for _, alike := range w.alike {
		why += alike + ". "
	}
	why += also
	switch loses := w.plan.RollBackLoses(); {
	case w.status.RollsBack.WhyNot != "":
		why += "By a roll back " + w.status.RollsBack.Nothing(patch.ScopeWave) + ". "
	case loses == "":
	case w.status.RollsBack.Stage > 0:
		why += "A roll back puts back what is patched: " + loses + ". "
	case w.status.RollsBack.Wave > 0:
		why += "A roll back of the whole wave puts back what the stages before have patched: " + loses + ". "
	}
	if ends := w.plan.SkipEnds(stage); ends != "" {
		why += ends + ". "
	}
	return why + "Send retry, skip, roll back or abort."
}

// awaitDecision waits for a verb; after timeout (0: never) otherwise is decided. A cancel is an abort.
// Until then people are asked again now and then.
func (w *wave) awaitDecision(
	ctx workflow.Context, timeout patch.Duration, otherwise patch.Decision, again func(workflow.Context),
) patch.Decision {
	told := func() bool { return w.inbox.decision != nil }
	defer func() { w.question = nil }()
	stop := w.reminds(ctx, again)
	defer stop()
	var err error
	answered := true
	if timeout > 0 {
		until := workflow.Now(ctx).Add(timeout.D())
		w.status.Otherwise, w.status.Until = otherwise.Verb, &until
		defer func() { w.status.Otherwise, w.status.Until = "", nil }()
		w.show(ctx)
		answered, err = run.Await(ctx, timeout.D(), otherwise.Verb.Words()+names.UnlessSomebodyDecides, told)
	} else {
		err = workflow.Await(ctx, told)
	}
	switch {
	case err != nil:
		w.status.Verbs = nil // as after a person's decision
		return patch.Decision{Verb: patch.Abort, Actor: "temporal", Reason: cancelled(w.inbox.take())}
	case answered:
		return *w.inbox.take()
	}
	otherwise.At = workflow.Now(ctx)
	w.status.Verbs = nil // as after a person's decision
	w.status.Decisions = append(w.status.Decisions, otherwise)
	return otherwise
}

// reminds asks people again now and then, until it is stopped.
func (w *wave) reminds(ctx workflow.Context, again func(workflow.Context)) workflow.CancelFunc {
	waiting, stop := workflow.WithCancel(ctx)
	if !w.announcer.notifies {
		return stop
	}
	workflow.Go(waiting, func(ctx workflow.Context) {
		for asked := 1; ; asked++ {
			timer := workflow.NewTimerWithOptions(ctx, patch.Reminds(asked), workflow.TimerOptions{
				Summary: "until people are asked again",
			})
			if timer.Get(ctx, nil) != nil || ctx.Err() != nil || w.inbox.decision != nil {
				return
			}
			if until := w.status.Until; until != nil && !workflow.Now(ctx).Before(*until) {
				return // it is decided at this very moment
			}
			if w.question != nil {
				w.question.look(ctx)
			}
			if ctx.Err() != nil || w.inbox.decision != nil {
				return
			}
			w.askAnew(ctx)
			again(ctx)
		}
	})
	return stop
}

// goOnFrom gives the held groups an order and lets paused ones go on, unless a person's pause lasts.
func (w *wave) goOnFrom(
	ctx workflow.Context, stage int, held []*lockedGroup, kind group.OrderKind,
) (outcome patch.Outcome, goesOn bool) {
	setGoing(ctx, held)
	w.order(ctx, held, group.Order{Kind: kind})
	if w.inbox.paused == nil { // else the verb resume lets them go on
		paused := w.roster.which(func(one *lockedGroup) bool {
			return one.stage == stage && one.counts.Phase == patch.GroupPaused
		})
		setGoing(ctx, paused)
		w.order(ctx, paused, group.Order{Kind: group.OrderResume})
	}
	w.enter(ctx, patch.StateRunning, "")
	return "", true
}
