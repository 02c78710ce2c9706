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
	w.turn.binding = true
	defer func() { w.turn.binding = false }()
	var pinned patch.Pinned
	for {
		w.enter(ctx, patch.StateRunning, "")
		err := w.makeManifest(ctx, stage, in, &pinned)
		if ctx.Err() != nil || w.inbox.aborts() {
			w.reason = "aborted: " + w.whoAborted(ctx)
			return patch.Aborted, false
		}
		if err == nil {
			break
		}
		if decision := w.holdUnbound(ctx, stage, run.Reason(err)); decision.Verb != patch.Retry {
			w.enter(ctx, patch.StateAborting, "")
			return w.unpinned(stage, unwritten+run.Reason(err)+": aborted: "+decision.Actor+": "+decision.Reason)
		}
	}
	if len(pinned.Systems) == 0 && !w.roster.nothingDue(stage, w.status.Only) {
		why := "the stages before have proved nothing in this wave"
		if pinned.NotProofs > 0 {
			why += fmt.Sprintf("; of %d of their machines the manifest %.12s in its evidence says why", pinned.NotProofs,
				pinned.SHA256)
		}
		return w.unpinned(stage, why)
	}
	w.turn.pinned, w.status.Stages[stage].Pinned = &pinned, &pinned
	w.show(ctx)
	return "", true
}

const unwritten = "what the stages before proved could not be written down: "

// makeManifest has the manifest written, as long as nobody aborts the wave.
func (w *wave) makeManifest(
	ctx workflow.Context, stage int, in activities.MakeManifestInput, pinned *patch.Pinned,
) error {
	writing, stop := workflow.WithCancel(run.Controlling(ctx, "what binds the stage "+w.plan.Stages[stage].Name))
	defer stop()
	written := workflow.ExecuteActivity(writing, control.MakeManifest, in)
	// Its only error is the cancel, which whoever asked looks at.
	_ = workflow.Await(ctx, func() bool { return written.IsReady() || w.inbox.aborts() })
	if !written.IsReady() {
		return nil
	}
	return written.Get(writing, pinned)
}

// holdUnbound asks people what to do about a place for manifests that is away: staging need not be patched once more
// for it. There is nothing that could be skipped, or put back.
func (w *wave) holdUnbound(ctx workflow.Context, stage int, why string) patch.Decision {
	planned := w.plan.Stages[stage]
	w.ask(ctx, patch.StateOnHold, w.roster.of(stage), func(also string) string {
		return fmt.Sprintf("%s has not begun: it is bound to what the stages before prove (pin: manifest), and %s%s. %s"+
			"Nothing of it was touched. Send retry once that is mended, or abort; what the stages before have patched can be "+
			"put back once the wave has closed.", planned.Name, unwritten, why, also)
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
