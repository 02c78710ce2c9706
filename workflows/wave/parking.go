package wave

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// parking is the time of a wave between two windows.
type parking struct {
	wait     *patch.Parked // while it is parked
	soak     *soaking      // while a stage soaks
	extended bool          // its window was, since it parked
	letting  bool          // it parks, or is parked, and keeps what it is told meanwhile
	why      string        // what stopped it, or why it could not go on
	toldWhy  string        // why, as people were told
	since    time.Time     // when it let everything go last; zero: never
	rounds   int           // windows in which it went on
}

// under reports whether the wave parks, or is parked.
func (p *parking) under() bool { return p.wait != nil || p.letting }

// standing is the verb that acts once a window is open; nil: none does.
func (p *parking) standing() *patch.Decision {
	if p.wait == nil {
		return nil
	}
	return p.wait.Standing
}

// leaving is how a wave ceases to be parked.
type leaving struct {
	outcome patch.Outcome // of its stage, where the wave does not go on
	goesOn  bool
}

// A wave parks up to half of what Temporal lets a history have (51,200 events, 50 MB): each group's results travel with
// it. And it goes on only if the rest fits.
const (
	longestParked = 25_000   // events
	largestParked = 25 << 20 // bytes
)

// outgrown reports whether the wave's history is too long, or too large, to go on with from a stage.
func (w *wave) outgrown(ctx workflow.Context, stage int) bool {
	info := workflow.GetInfo(ctx)
	turns := w.roster.which(func(held *lockedGroup) bool { return w.hasToDo(held, stage) })
	spent := info.GetCurrentHistoryLength()
	again := 0 // those that are told to go twice
	for _, held := range turns {
		again += w.plan.Stages[held.stage].AddedTurns(held.at)
	}
	left := patch.HistoryLeft(spent, len(w.roster.groups), len(turns)+again)
	return spent > longestParked || !patch.HistoryHolds(left, w.roster.instances()) ||
		info.GetCurrentHistorySize() > largestParked
}

// awaitWindow parks the wave where a verb was sent outside the window: it is recorded, and acts when the window opens.
// Where the stage does not go on, its outcome is told.
func (w *wave) awaitWindow(
	ctx workflow.Context, stage int, decision patch.Decision,
) (outcome patch.Outcome, goesOn bool) {
	if open, _ := w.plan.Window.Open(workflow.Now(ctx)); open || ctx.Err() != nil {
		return "", true
	}
	return w.park(ctx, stage, &decision)
}

// park lets everything go and waits for a window and for somebody who wants the wave to go on in it, or, after a stage,
// until that has soaked. Where it goes on, its locks are taken again, and preflight has found nothing against it.
// Nobody's word by the end of the window that follows ends the wave. Where the stage does not go on, its outcome is
// told.
func (w *wave) park(ctx workflow.Context, stage int, standing *patch.Decision) (outcome patch.Outcome, goesOn bool) {
	w.inbox.resumed = nil
	// What is told while the locks are let go acts as if it was told of a parked wave.
	w.parking.letting, w.parking.toldWhy = true, ""
	defer func() { w.parking.letting = false }()
	w.parking.why = w.whyItStopped(ctx, stage)
	w.turn.parked = true
	next := w.windowThen(ctx)
	whole := w.letGo(ctx, group.OrderPark)
	w.parking.since = workflow.Now(ctx)
	w.status.Stranded = w.stranded()
	if outcome, ends := w.endsInstead(ctx, stage, next, standing, whole); ends {
		return w.rollBackInstead(ctx, stage, outcome, whole), false
	}
	w.parking.wait = &patch.Parked{Next: next.Window}
	if s := w.parking.soak; s != nil {
		w.parking.wait.Soaks, w.parking.wait.AnyTime = s.Until, next.AnyTime
		w.nameWatched(s)
		w.watchSoak(ctx)
	} else if w.plan.Window == nil {
		w.adopt(next.Window)
	}
	w.parking.wait.Window, w.parking.extended = w.plan.Window, false
	w.status.Hold++
	defer func() { w.parking.wait, w.status.NextWindow = nil, nil }()
	w.stand(ctx, standing)
	for {
		left := w.whileParked(ctx, stage)
		if left == nil {
			continue
		}
		if left.outcome == patch.Aborted {
			w.enter(ctx, patch.StateAborting, "")
		}
		return left.outcome, left.goesOn
	}
}

// whileParked does what comes next while the wave is parked; nil: it still is.
func (w *wave) whileParked(ctx workflow.Context, stage int) *leaving {
	if ctx.Err() != nil || w.inbox.decision != nil {
		return w.actParked(ctx, stage)
	}
	if w.parking.soak.isIll() {
		return w.holdSoak(ctx, stage)
	}
	wait := w.parking.wait
	step := wait.Step(workflow.Now(ctx))
	w.adopt(step.Window)
	switch step.Move {
	case patch.ParkedGoesOn:
		return w.tryToGoOn(ctx, stage)
	case patch.ParkedAsks:
		return w.askForWindow(ctx)
	case patch.ParkedSoaked:
		return w.askWindowAgain(ctx)
	case patch.ParkedEnds:
		w.reason = fmt.Sprintf("%s; nobody resumed it by the cutoff of the next window, %s",
			w.parking.why, brief.UTC(wait.Next.Cutoff))
		return &leaving{outcome: patch.Aborted}
	case patch.ParkedWaits:
		w.enterParked(ctx)
		// Why it is tried in vain changes by the minute: people are told of it once.
		if w.parking.toldWhy != w.parking.why && wait.Tries <= 1 {
			w.parking.toldWhy = w.parking.why
			w.keepParked(ctx)
			w.tellParked(ctx)
		}
		w.awaitVerb(ctx, step.Until)
	}
	return nil
}

// tryToGoOn carries out the standing verb in a window that is open. Where it cannot, it is tried again.
func (w *wave) tryToGoOn(ctx workflow.Context, stage int) *leaving {
	if w.outgrown(ctx, stage) {
		w.reason = w.parking.why + tooLong
		return &leaving{outcome: patch.Aborted}
	}
	err := w.mayEndSoak()
	if err == nil {
		err = w.goOn(ctx, stage)
	}
	switch {
	case err == nil && w.parking.soak.isIll(): // seen since
		w.letGo(ctx, group.OrderPark)
		return nil
	case err == nil:
		w.endSoak(ctx, "")
		return &leaving{goesOn: true}
	}
	w.couldNot(w.parking.standing(), err)
	w.parking.wait.InVain(workflow.Now(ctx))
	return nil
}

// couldNot says why a decision could not be carried out.
func (w *wave) couldNot(decision *patch.Decision, err error) {
	w.parking.why = decision.Verb.By(*decision) + " could not be carried out: " + run.Reason(err)
}

// askForWindow asks which window follows one that is over, in which the standing verb did not act.
func (w *wave) askForWindow(ctx workflow.Context) *leaving {
	wait := w.parking.wait
	if wait.GivesUp() {
		w.parking.why += "; it was tried until the window's cutoff, and stands no longer"
		wait.Stand(nil)
		w.endSoak(ctx, "")
		w.status.Hold++ // people are asked again
	}
	next := w.nextWindow(ctx, workflow.Now(ctx))
	switch {
	case next.Window == nil && w.inbox.decision != nil:
		return nil // told meanwhile
	case next.Window == nil:
		w.reason = w.parking.why + "; no other window follows: " + next.Why
		return &leaving{outcome: patch.Aborted}
	}
	wait.Window, wait.Next = w.plan.Window, next.Window
	w.stand(ctx, wait.Standing)
	return nil
}

// actParked acts on a verb that was sent to a parked wave, or on its cancel; nil: it is parked still.
func (w *wave) actParked(ctx workflow.Context, stage int) *leaving {
	if ctx.Err() != nil || w.inbox.aborts() {
		w.reason = "aborted: " + w.whoAborted(ctx)
		return &leaving{outcome: patch.Aborted}
	}
	decision := w.inbox.take()
	switch decision.Verb {
	case patch.Reject:
		w.reason = fmt.Sprintf("%s was not approved: %s: %s", w.status.Stage, decision.Actor, decision.Reason)
		return &leaving{outcome: patch.Aborted}
	case patch.RollBack:
		return w.rollBackParked(ctx, stage, decision)
	case patch.Resume:
		paused := w.inbox.paused != nil
		w.inbox.paused = nil
		switch {
		case w.parking.soak == nil:
			w.stand(ctx, decision)
		case !paused: // else it lifts the pause, and the stage soaks on
			return w.skipSoak(ctx, decision)
		}
	}
	return nil
}

// rollBackParked puts back what the stage patched, if its locks are free; nil: they are not, and it is parked still.
func (w *wave) rollBackParked(ctx workflow.Context, stage int, decision *patch.Decision) *leaving {
	w.endSoak(ctx, decision.Verb.By(*decision))
	w.enter(ctx, patch.StateRollingBack, "")
	w.parking.wait.Soaks = time.Time{}
	w.parking.wait.Stand(nil) // who wants it back does not want it to go on
	if err := w.lockAgain(ctx); err != nil {
		w.couldNot(decision, err)
		w.status.Hold++ // what stood is taken back: people are asked again
		return nil
	}
	return &leaving{outcome: w.rollBack(ctx, stage, *decision)}
}

// stand lets a decision wait for a window, and says when that opens.
func (w *wave) stand(ctx workflow.Context, decision *patch.Decision) {
	w.parking.wait.Stand(decision)
	if decision == nil {
		return
	}
	acts := w.parking.wait.Acts(workflow.Now(ctx))
	for i := len(w.status.Decisions) - 1; i >= 0; i-- {
		if w.status.Decisions[i] == *decision {
			w.status.Decisions[i].Acts, w.evidence.unkept = acts, true
			break
		}
	}
	decision.Acts = acts
}

// adopt makes a window that has opened the wave's own.
func (w *wave) adopt(window *patch.Window) {
	if w.plan.Window != window {
		w.plan.Window, w.status.Window, w.inbox.extended = window, window, false
	}
}

// windowThen is the window in which a wave that parks now goes on.
func (w *wave) windowThen(ctx workflow.Context) activities.NextWindow {
	if s := w.parking.soak; s != nil {
		return w.windowFrom(ctx, s.Until)
	}
	return w.nextWindow(ctx, workflow.Now(ctx))
}

// windowFrom is the window that follows the wave's from a moment on; its own where none does and it is open then.
func (w *wave) windowFrom(ctx workflow.Context, at time.Time) activities.NextWindow {
	next := w.nextWindow(ctx, at)
	if open, _ := w.plan.Window.Open(at); open && next.Window == nil {
		next.Window = w.plan.Window
	}
	return next
}

// nextWindow asks which window follows the wave's, at a moment or after it.
func (w *wave) nextWindow(ctx workflow.Context, at time.Time) activities.NextWindow {
	var next activities.NextWindow
	options := run.Controlling(ctx, "asks which window comes next")
	if err := workflow.ExecuteActivity(options, control.NextWindow, activities.NextWindowInput{
		Plan: w.plan.Name, Window: w.plan.Window, At: at,
	}).Get(ctx, &next); err != nil {
		next.Why = run.Reason(err)
	}
	return next
}

// awaitVerb waits until a moment, or until there is something to act on.
func (w *wave) awaitVerb(ctx workflow.Context, until time.Time) {
	window := w.plan.Window
	// Its only error is the cancel, which the caller looks at next.
	_, _ = run.Await(ctx, until.Sub(workflow.Now(ctx)), "until the next window opens, or is over",
		func() bool {
			return w.inbox.decision != nil || w.plan.Window != window || w.parking.soak.isIll()
		})
}
