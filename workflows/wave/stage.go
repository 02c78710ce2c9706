package wave

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
)

// turn is the stage under way.
type turn struct {
	parked   bool            // it was, in the middle: what was patched by then is of an earlier window
	carried  int             // failures with which it went on by itself
	step     int             // the stage's present step, counted from 0
	approval *patch.Approval // of a step, while it is asked for; nil: none is
	stopping bool            // nothing more is begun
	putBack  *patch.Decision // the roll_back for which it stops; nil: it stops for good
	// rolledBack: it was put back, and each stage that was has an outcome of its own
	rolledBack bool
	// unasked: nothing was due, so nobody was asked to approve it, and nothing may be patched until somebody is.
	unasked bool
	pinned  *patch.Pinned     // what its instances are bound to; nil: nothing
	images  []patch.RootImage // that replace its root volumes
	// imageless: nothing was due, so no image was made, and nothing may be patched until one is.
	imageless bool
	// backFrom is the first stage that is put back; nil: none is.
	backFrom *int
	binding  bool // that is being written down: nothing of it is there to be skipped or put back
}

// runStage approves, then lets the stage's groups go, at most MaxParallelGroups at once, and answers for their
// failures. What comes next is patch.NextMove's to decide.
func (w *wave) runStage(ctx workflow.Context, stage int) patch.Outcome {
	w.status.Stage, w.turn = w.plan.Stages[stage].Name, turn{}
	w.show(ctx) // what a roll back of the stage puts back is another's by now
	if outcome, goesOn := w.approve(ctx, stage); !goesOn {
		return outcome
	}
	w.enter(ctx, patch.StateRunning, "")
	for {
		if outcome, goesOn := w.move(ctx, stage, patch.NextMove(w.now(ctx, stage))); !goesOn {
			return outcome
		}
	}
}

// now is the stage as patch.NextMove looks at it.
func (w *wave) now(ctx workflow.Context, stage int) patch.StageNow {
	return patch.StageNow{
		Groups: w.roster.now(stage), Parallel: w.parallelIn(stage),
		Sent: w.inbox.verb(), Cancelled: ctx.Err() != nil,
		Stopping: w.turn.stopping, PutsBack: w.turn.putBack != nil,
		Paused: w.inbox.paused != nil, Pausing: w.status.State == patch.StatePaused,
		Extended: w.inbox.extended && w.status.Window != w.inbox.told,
	}
}

// move makes a move. Where the stage does not go on, its outcome is told.
func (w *wave) move(ctx workflow.Context, stage int, move patch.Move) (outcome patch.Outcome, goesOn bool) {
	about := w.roster.pick(stage, move.Groups)
	switch move.Kind {
	case patch.MoveForget:
		w.inbox.take()
	case patch.MoveWriteOff:
		w.writeOff(ctx, about)
	case patch.MoveGiveUp:
		w.giveUp(ctx, stage, stage)
	case patch.MoveHold:
		if (w.turn.unasked || w.turn.imageless) && allUnapproved(about) {
			return w.approveAfterAll(ctx, stage, about)
		}
		return w.hold(ctx, stage, about)
	case patch.MoveMakeWait:
		w.makeWait(ctx, about)
	case patch.MoveStopWaiting:
		w.stopWaiting(ctx, about)
	case patch.MoveStopToPutBack:
		w.turn.putBack = w.inbox.take()
		w.stop(ctx, stage, patch.StateRollingBack)
	case patch.MoveStopToAbort:
		w.reason = "aborted: " + w.whoAborted(ctx)
		w.stop(ctx, stage, patch.StateAborting)
	case patch.MovePutBack:
		return w.rollBack(ctx, stage, *w.turn.putBack), false
	case patch.MovePause:
		w.pause(ctx, stage)
	case patch.MoveResume:
		w.resumePaused(ctx, stage)
	case patch.MoveTellWindow:
		w.inbox.told = w.status.Window
		w.orderStage(ctx, stage, group.Order{Kind: group.OrderWindow})
	case patch.MoveStart:
		w.start(ctx, about)
	case patch.MoveStep:
		return w.passStep(ctx, stage)
	case patch.MovePark:
		if outcome, goesOn = w.park(ctx, stage, w.resumedOutside()); goesOn {
			w.enter(ctx, patch.StateRunning, "")
		}
		return outcome, goesOn
	case patch.MoveAbort:
		if w.turn.putBack != nil {
			w.reason = "aborted: " + cancelled(w.turn.putBack)
		}
		return patch.Aborted, false
	case patch.MoveJudge:
		return w.judge(stage), false
	case patch.MoveWait:
		w.awaitMove(ctx, stage)
	}
	return "", true
}

// awaitMove waits until there is something to do: a report, a verb, a group that is gone, or a cancel.
func (w *wave) awaitMove(ctx workflow.Context, stage int) {
	waitCtx := ctx
	if w.turn.stopping {
		waitCtx, _ = workflow.NewDisconnectedContext(ctx)
	}
	// Its only error is the cancel, which is looked at next.
	_ = workflow.Await(waitCtx, func() bool { return patch.NextMove(w.now(ctx, stage)).Kind != patch.MoveWait })
}

// stop lets what is under way come to its end, and begins nothing more.
func (w *wave) stop(ctx workflow.Context, stage int, state patch.WaveState) {
	w.turn.stopping = true
	w.enter(ctx, state, "")
	w.orderStage(ctx, stage, group.Order{Kind: group.OrderStop})
}

// start lets groups go.
func (w *wave) start(ctx workflow.Context, groups []*lockedGroup) {
	for _, held := range groups {
		held.started, held.step = true, held.at
	}
	setGoing(ctx, groups)
	w.orderEach(ctx, groups, func(held *lockedGroup) group.Order {
		return group.Order{
			Kind: group.OrderGo, Runbook: held.runbook, BaselineID: held.baselineID, Step: held.step,
		}
	})
}

// parallelIn is how many groups of a stage may be worked on at once.
func (w *wave) parallelIn(stage int) int {
	planned := w.plan.Stages[stage]
	if planned.Service != "" {
		return 1 // groups of one service are taken one group at a time
	}
	if told, ok := w.inbox.parallel[planned.Name]; ok {
		return told
	}
	return max(planned.MaxParallelGroups, 1)
}

// judge names the outcome of a stage that ran to its end.
func (w *wave) judge(stage int) patch.Outcome {
	outcome := patch.Succeeded
	for _, held := range w.roster.of(stage) {
		if held.counts.Phase == patch.GroupStepDone && !w.roster.anyLost(stage) {
			w.reason = held.group.String() + ": its canary or step is done, and its others were not taken"
			return patch.Aborted
		}
		if held.counts.Outcome == patch.Failed || held.counts.Phase != patch.GroupDone {
			w.reason = strings.TrimPrefix(w.reason+"; "+held.counts.WhyFailed(), "; ")
			return patch.Failed
		}
		if held.counts.Outcome == patch.Aborted { // the window closed
			w.reason = held.group.String() + ": " + held.counts.Reason
			return patch.Aborted
		}
		if held.counts.Outcome == patch.SucceededImageStale {
			w.reason = strings.TrimPrefix(w.reason+"; "+held.group.String()+": "+held.counts.Image, "; ")
		}
		switch {
		case held.counts.Outcome == patch.SucceededImageStale:
			outcome = patch.CombinedOutcome([]patch.Outcome{outcome, held.counts.Outcome})
		case held.counts.Outcome == patch.SucceededWithGaps:
			outcome = patch.SucceededWithGaps
			w.reason = strings.TrimPrefix(w.reason+"; "+patch.Missed(held.group.String(), held.counts.Gaps), "; ")
		case held.counts.Outcome != patch.Succeeded && outcome != patch.SucceededWithGaps:
			outcome = patch.SucceededWithSkips
		}
		for _, told := range slices.Concat(held.counts.LeftOut, held.counts.Waiting) {
			w.reason = strings.TrimPrefix(w.reason+"; "+held.group.String()+": "+told, "; ")
		}
	}
	w.status.Stages[stage].Outcome = outcome
	return outcome
}

// whoAborted consumes the abort and tells whose it was.
func (w *wave) whoAborted(ctx workflow.Context) string {
	decision := w.inbox.take()
	if decision != nil && decision.Verb == patch.Abort {
		return decision.Actor + ": " + decision.Reason
	}
	return cancelled(decision)
}

// cancelled says that the wave was, and what was decided just before and is not carried out any more.
func cancelled(pending *patch.Decision) string {
	if pending == nil {
		return "the wave was cancelled"
	}
	return fmt.Sprintf("the wave was cancelled; %s by %s (%s) is not carried out",
		pending.Verb.Words(), pending.Actor, pending.Reason)
}
