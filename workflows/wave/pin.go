package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// pin writes down what the stages before have proved, which binds the stage. Where that cannot be had the stage does
// not begin.
func (w *wave) pin(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	if w.plan.PinOf(stage) != patch.PinManifest {
		return "", true
	}
	in := activities.MakeManifestInput{Plan: w.plan.Name, WaveID: w.status.WaveID}
	for before := range stage {
		for _, held := range w.roster.of(before) {
			for _, one := range held.counts.Unproven {
				in.Without = append(in.Without, one.ID)
			}
		}
	}
	var pinned patch.Pinned
	options := run.Controlling(ctx, "what binds the stage "+w.plan.Stages[stage].Name)
	for {
		err := workflow.ExecuteActivity(options, control.MakeManifest, in).Get(ctx, &pinned)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			w.reason = w.whoAborted(ctx)
			return patch.Aborted, false
		}
		if decision := w.holdUnwritten(ctx, stage, run.Reason(err)); decision.Verb != patch.Retry {
			return w.unpinned(stage, unwritten+run.Reason(err)+": aborted: "+decision.Actor+": "+decision.Reason)
		}
		w.enter(ctx, patch.StateRunning, "")
	}
	if len(pinned.Systems) == 0 && !w.roster.nothingDue(stage) {
		return w.unpinned(stage, "the stages before have proved nothing in this wave")
	}
	w.turn.pinned, w.status.Stages[stage].Pinned = &pinned, &pinned
	w.show(ctx)
	return "", true
}

const unwritten = "what the stages before proved could not be written down: "

// holdUnwritten asks people what to do about a place for manifests that is away: staging need not be patched once more
// for it.
func (w *wave) holdUnwritten(ctx workflow.Context, stage int, why string) patch.Decision {
	planned := w.plan.Stages[stage]
	w.turn.unwritten = true
	defer func() { w.turn.unwritten = false }()
	w.ask(ctx, patch.StateOnHold, w.roster.of(stage), func(also string) string {
		return fmt.Sprintf("%s has not begun: it is bound to what the stages before prove (pin: manifest), and %s%s. %s"+
			"Nothing of it was touched. Send retry once that is mended, or abort.", planned.Name, unwritten, why, also)
	})
	timeout := planned.OnFailure.Timeout
	until := unless(ctx, timeout, patch.Abort)
	tell := func(ctx workflow.Context) { w.tell(ctx, patch.NoticeOnHold, until) }
	tell(ctx)
	return w.awaitDecision(ctx, timeout, patch.Decision{
		Verb: patch.Abort, Actor: "patchtide", Point: w.status.Point(), Reason: "nobody answered within " + timeout.String(),
	}, tell)
}

func (w *wave) unpinned(stage int, why string) (patch.Outcome, bool) {
	w.reason = strings.TrimPrefix(w.reason+"; "+w.plan.Stages[stage].Name+" was not begun: it is bound to what the "+
		"stages before prove (pin: manifest), and "+why, "; ")
	return patch.Aborted, false
}
