package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// longestParked is the history up to which a wave parks: taking every lock again costs some twenty events a group, and a wave
// never continues as new.
const longestParked = 25_000

// parksWaves tells a run that waits for the next window instead of ending.
func parksWaves(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "parks", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// awaitWindow parks the wave where a verb was sent outside the window: it is recorded, and acts when the window opens. An
// outcome of "" means go.
func (w *wave) awaitWindow(ctx workflow.Context, number int, decision patch.Decision) patch.Outcome {
	if open, _ := w.plan.Window.Open(workflow.Now(ctx)); open || !w.parks || ctx.Err() != nil {
		return ""
	}
	return w.park(ctx, number, &decision)
}

// windowEnded tells that the stage stands still because its window lets no further instance begin, and for no other reason.
func (w *wave) windowEnded(number int) bool {
	if !w.parks || w.running(number) > 0 || len(w.heldOf(number)) > 0 {
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
	before := w.why(ctx, number)
	next := w.nextWindow(ctx)
	whole := w.letGo(ctx, OrderPark)
	w.parkedAt = workflow.Now(ctx)
	w.status.Stranded = w.stranded()
	switch {
	case ctx.Err() != nil:
		w.reason = "aborted: " + w.whoAborted(ctx)
		return patch.Aborted
	case !whole:
		w.reason = before + "; the workflow of a group ended without its word"
		return patch.Failed
	case len(w.status.Stranded) > 0:
		w.reason = before + "; it does not wait for the next window, since something is stranded: see to that, then start another wave"
		return patch.Aborted
	case next.Window == nil && standing == nil:
		return w.judge(number) // no other window follows: it ends here, and each group says why
	case next.Window == nil:
		w.reason = standing.Verb.By(*standing) + " cannot act any more: no other window follows: " + next.Why
		return patch.Aborted
	case workflow.GetInfo(ctx).GetCurrentHistoryLength() > longestParked:
		w.reason = before + "; its history is too long to go on: start another wave in the next window"
		return patch.Aborted
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
				if before = w.goOn(ctx, number); before == "" {
					goesOn = true
					continue
				}
				before = w.parked.Standing.Verb.By(*w.parked.Standing) + " could not be carried out: " + before
				w.parked.Standing = nil
				continue
			case patch.ParkedAsks:
				if next = w.nextWindow(ctx); next.Window == nil {
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
				if told != before {
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
	if ctx.Err() != nil || w.abortTold() {
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
	w.parked.Standing = decision
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
	if err := workflow.ExecuteActivity(controlling(ctx, "asks which window comes next"), control.NextWindow, activities.NextWindowInput{
		Plan: w.plan.Name, Window: *w.plan.Window, At: workflow.Now(ctx),
	}).Get(ctx, &next); err != nil {
		next.Why = reason(err)
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

// why says what stopped the wave, and what is left of the stage and those after it.
func (w *wave) why(ctx workflow.Context, number int) string {
	text := fmt.Sprintf("the window's cutoff was at %s", w.plan.Window.Cutoff.Format(time.RFC3339))
	if open, _ := w.plan.Window.Open(workflow.Now(ctx)); open {
		text = fmt.Sprintf("too little of the window is left before its cutoff at %s", w.plan.Window.Cutoff.Format(time.RFC3339))
	}
	var left []string
	for _, held := range w.groups {
		if open := held.counts.Total - held.counts.Done; held.stage >= number && open > 0 {
			left = append(left, fmt.Sprintf("%d of %d of %s", open, held.counts.Total, held.group))
		}
	}
	if len(left) == 0 {
		return text
	}
	if len(left) > mostListed {
		left = append(left[:mostListed], fmt.Sprintf("and of %d more groups", len(left)-mostListed))
	}
	return text + ". Left: " + strings.Join(left, ", ")
}

// enterParked shows a parked wave: what is left, which window comes, and whose word it waits for.
func (w *wave) enterParked(ctx workflow.Context, number int, before string) {
	next := w.parked.Next
	w.status.NextWindow = next
	text := before + ". No lock is held, and nothing is suspended or out of service. "
	switch standing := w.parked.Standing; {
	case standing != nil:
		text += fmt.Sprintf("%s at %s: acts when the window opens at %s. Send roll_back or abort for something else.", standing.Verb.By(*standing),
			standing.At.Format(time.RFC3339), standing.Acts.Format(time.RFC3339))
	case w.plan.Window == next:
		text += fmt.Sprintf("The window is open until its cutoff at %s, at which the wave ends. Send resume, roll_back or abort.", next.Cutoff.Format(time.RFC3339))
	default:
		text += fmt.Sprintf("The next window opens at %s. Send resume to go on in it, roll_back or abort; if nobody does, the wave ends at that window's cutoff, %s.",
			next.Opens.Format(time.RFC3339), next.Cutoff.Format(time.RFC3339))
	}
	w.enter(ctx, patch.StateParked, text)
}

// tellParked tells people once for each reason for which the wave is parked.
func (w *wave) tellParked(ctx workflow.Context) {
	w.tell(ctx, patch.NoticeParked, func(n *patch.Notice) {
		if w.parked.Standing == nil {
			n.Until, n.Otherwise = &w.parked.Next.Cutoff, patch.Abort
		}
		n.Stranded = w.status.Stranded
	})
}

// keepParked leaves the results so far in the evidence: a wave that is terminated while it is parked can be rolled back.
func (w *wave) keepParked(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	// Its only error is a cancel, which this context does not have.
	_ = workflow.Await(clean, func() bool { return !w.keeping })
	w.save(clean, w.soFar())
}

// soFar is the wave's result while it is under way: groups that have ended, or are parked, are in it.
func (w *wave) soFar() patch.WaveResult {
	result := patch.WaveResult{WaveID: w.status.WaveID, Plan: w.plan.Name, Stages: []patch.StageResult{}, Stranded: []patch.Stranded{}}
	if w.parked == nil {
		return result
	}
	for i, stage := range w.plan.Stages {
		result.Stages = append(result.Stages, patch.StageResult{Name: stage.Name, Outcome: patch.NotStarted, Groups: []patch.GroupResult{}})
		for _, held := range w.stageGroups(i) {
			if held.result != nil {
				result.Stages[i].Groups = append(result.Stages[i].Groups, *held.result)
			}
		}
	}
	return result
}
