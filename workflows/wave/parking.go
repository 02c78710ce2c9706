package wave

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// A wave parks up to half of what Temporal lets a history have (51,200 events, 50 MB): taking every lock again costs some twenty events
// a group, and each group's results travel with it. A wave never continues as new.
const (
	longestParked = 25_000   // events
	largestParked = 25 << 20 // bytes
)

// outgrown tells that the wave's history is too long, or too large, to go on with.
func outgrown(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.GetCurrentHistoryLength() > longestParked || info.GetCurrentHistorySize() > largestParked
}

// awaitWindow parks the wave where a verb was sent outside the window: it is recorded, and acts when the window opens. An
// outcome of "" means go.
func (w *wave) awaitWindow(ctx workflow.Context, number int, decision patch.Decision) patch.Outcome {
	if open, _ := w.plan.Window.Open(workflow.Now(ctx)); open || ctx.Err() != nil {
		return ""
	}
	return w.park(ctx, number, &decision)
}

// windowEnded tells that the stage stands still because its window lets no further instance begin, and for no other reason.
func (w *wave) windowEnded(number int) bool {
	if w.running(number) > 0 || len(w.onHold(number)) > 0 {
		return false
	}
	ended := false
	for _, held := range w.stageGroups(number) {
		if held.lost {
			return false
		}
		ended = ended || held.counts.Closed == patch.RefusedOutsideWindow || held.counts.Closed == patch.RefusedWindowEnds
	}
	return ended
}

// resumedOutside is the verb that let a paused wave go on when the window had ended already: it acts when the next one opens.
func (w *wave) resumedOutside() *patch.Decision {
	if w.resumed == nil {
		return nil
	}
	if open, _ := w.plan.Window.Open(w.resumed.At); open {
		return nil
	}
	return w.resumed
}

// park lets everything go and waits for a window and for somebody who wants the wave to go on in it. An outcome of "" means
// that it goes on: its locks are taken again, and preflight has found nothing against it. Nobody's word by the end of the
// window that follows ends the wave.
func (w *wave) park(ctx workflow.Context, number int, standing *patch.Decision) patch.Outcome {
	w.resumed = nil
	// What is told while the locks are let go acts as if it was told of a parked wave.
	w.parking = true
	defer func() { w.parking = false }()
	before := w.why(ctx, number)
	next := w.nextWindow(ctx)
	whole := w.letGo(ctx, group.OrderPark)
	w.parkedAt = workflow.Now(ctx)
	w.status.Stranded = w.stranded()
	if outcome := w.cannotPark(ctx, number, before, next, standing, whole); outcome != "" {
		return w.rollBackInstead(ctx, number, outcome, whole)
	}
	w.parked = &patch.Parked{Window: w.plan.Window, Next: next.Window}
	defer func() { w.parked, w.status.NextWindow = nil, nil }()
	w.stand(ctx, standing)
	outcome, goesOn := patch.Outcome(""), false
	for told := ""; outcome == "" && !goesOn; {
		if ctx.Err() == nil && w.decision == nil {
			step := w.parked.Step(workflow.Now(ctx))
			w.adopt(step.Window)
			switch step.Move {
			case patch.ParkedGoesOn:
				if outgrown(ctx) {
					w.reason, outcome = before+tooLong, patch.Aborted
					continue
				}
				if before = w.goOn(ctx, number); before == "" {
					goesOn = true
					continue
				}
				before = w.parked.Standing.Verb.By(*w.parked.Standing) + " could not be carried out: " + before
				w.parked.InVain(workflow.Now(ctx))
				continue
			case patch.ParkedAsks:
				if w.parked.GivesUp() {
					before += "; it was tried until the window's cutoff, and stands no longer"
					w.parked.Stand(nil)
				}
				if next = w.nextWindow(ctx); next.Window == nil && w.decision != nil {
					continue // told meanwhile
				}
				if next.Window == nil {
					w.reason, outcome = before+"; no other window follows: "+next.Why, patch.Aborted
					continue
				}
				w.parked.Window, w.parked.Next = w.plan.Window, next.Window
				w.stand(ctx, w.parked.Standing)
				continue
			case patch.ParkedEnds:
				w.reason = fmt.Sprintf("%s; nobody resumed it by the cutoff of the next window, %s", before, w.parked.Next.Cutoff.Format(time.RFC3339))
				outcome = patch.Aborted
				continue
			case patch.ParkedWaits:
				w.enterParked(ctx, number, before)
				// Why it is tried in vain changes by the minute: people are told of it once.
				if told != before && w.parked.Tries <= 1 {
					told = before
					w.keepParked(ctx)
					w.tellParked(ctx)
				}
				w.awaitVerb(ctx, step.Until)
			}
			continue
		}
		outcome, before = w.actParked(ctx, number, before)
	}
	if outcome == patch.Aborted {
		w.enter(ctx, patch.StateAborting, "")
	}
	return outcome
}

// actParked acts on a verb that was sent to a parked wave, or on its cancel. What it says instead of before is why it could not.
func (w *wave) actParked(ctx workflow.Context, number int, before string) (patch.Outcome, string) {
	if ctx.Err() != nil || w.abortSent() {
		w.reason = "aborted: " + w.whoAborted(ctx)
		return patch.Aborted, before
	}
	decision := w.takeDecision()
	switch decision.Verb {
	case patch.Reject:
		w.reason = fmt.Sprintf("%s was not approved: %s: %s", w.status.Stage, decision.Actor, decision.Reason)
		return patch.Aborted, before
	case patch.RollBack:
		w.enter(ctx, patch.StateRollingBack, "")
		w.parked.Stand(nil) // who wants it back does not want it to go on
		if why := w.lockAgain(ctx); why != "" {
			return "", decision.Verb.By(*decision) + " could not be carried out: " + why
		}
		return w.rollBack(ctx, number, *decision), before
	case patch.Resume:
		w.paused = nil
		w.stand(ctx, decision)
	}
	return "", before
}

// stand lets a decision wait for a window, and says when that opens.
func (w *wave) stand(ctx workflow.Context, decision *patch.Decision) {
	w.parked.Stand(decision)
	if decision == nil {
		return
	}
	acts := w.parked.Acts(workflow.Now(ctx))
	for i := len(w.status.Decisions) - 1; i >= 0; i-- {
		if w.status.Decisions[i] == *decision {
			w.status.Decisions[i].Acts, w.unkept = acts, true
			break
		}
	}
	decision.Acts = acts
}

// adopt makes a window that has opened the wave's own.
func (w *wave) adopt(window *patch.Window) {
	if w.plan.Window != window {
		w.plan.Window, w.status.Window, w.window = window, window, false
	}
}

// nextWindow asks which window follows the wave's.
func (w *wave) nextWindow(ctx workflow.Context) activities.NextWindow {
	var next activities.NextWindow
	if err := workflow.ExecuteActivity(run.Controlling(ctx, "asks which window comes next"), control.NextWindow, activities.NextWindowInput{
		Plan: w.plan.Name, Window: *w.plan.Window, At: workflow.Now(ctx),
	}).Get(ctx, &next); err != nil {
		next.Why = run.Reason(err)
	}
	return next
}

// awaitVerb waits until a moment, or until there is something to act on.
func (w *wave) awaitVerb(ctx workflow.Context, until time.Time) {
	window := w.plan.Window
	// Its only error is the cancel, which the caller looks at next.
	_, _ = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: until.Sub(workflow.Now(ctx)), TimerOptions: workflow.TimerOptions{Summary: "until the next window opens, or is over"},
	}, func() bool { return w.decision != nil || w.plan.Window != window })
}
