package wave

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

const tooLong = "; its history is too long to go on: start another wave in the next window"

// endsInstead ends a wave that has let everything go and cannot wait for another window, and reports whether it does.
func (w *wave) endsInstead(
	ctx workflow.Context, stage int, next activities.NextWindow, standing *patch.Decision, whole bool,
) (outcome patch.Outcome, ends bool) {
	before, dropped := w.parking.why, ""
	if standing != nil {
		dropped = "; " + standing.Verb.By(*standing) + " is not carried out"
	}
	switch {
	case ctx.Err() != nil, w.inbox.aborts():
		w.reason = "aborted: " + w.whoAborted(ctx)
	case !whole:
		w.reason = before + "; the workflow of a group ended without its word" + dropped
		return patch.Failed, true
	case len(w.status.Stranded) > 0:
		w.reason = before + "; it does not wait for that or for the next window, since something is stranded: " +
			"see to that, then start another wave" + dropped
	case next.Window == nil && standing == nil:
		return w.judge(stage), true // no other window follows: it ends here, and each group says why
	case next.Window == nil:
		w.reason = standing.Verb.By(*standing) + " cannot act any more: no other window follows: " + next.Why
	case w.outgrown(ctx, stage):
		w.reason = before + tooLong + dropped
	default:
		return "", false
	}
	return patch.Aborted, true
}

// rollBackInstead carries out a roll_back that was told while a wave let everything go that cannot park: it needs no
// window. What else was told then is named, as it is not carried out.
func (w *wave) rollBackInstead(ctx workflow.Context, stage int, outcome patch.Outcome, whole bool) patch.Outcome {
	decision := w.inbox.take()
	if decision == nil {
		return outcome
	}
	why := ""
	if decision.Verb == patch.RollBack && whole && ctx.Err() == nil {
		w.enter(ctx, patch.StateRollingBack, "")
		err := w.lockAgain(ctx)
		if err == nil {
			return w.rollBack(ctx, stage, *decision)
		}
		why = ": " + run.Reason(err)
	}
	w.reason += fmt.Sprintf("; %s is not carried out%s", decision.Verb.By(*decision), why)
	if decision.Verb == patch.RollBack {
		w.reason += fmt.Sprintf("; once the wave has closed, `patchtide wave roll-back %s` puts it back", w.status.WaveID)
	}
	return outcome
}
