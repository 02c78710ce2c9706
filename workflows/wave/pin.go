package wave

import (
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
	if err := workflow.ExecuteActivity(options, control.MakeManifest, in).Get(ctx, &pinned); err != nil {
		if ctx.Err() != nil {
			w.reason = w.whoAborted(ctx)
			return patch.Aborted, false
		}
		return w.unpinned(stage, "what the stages before proved could not be written down: "+run.Reason(err))
	}
	if len(pinned.Systems) == 0 && !w.roster.nothingDue(stage) {
		return w.unpinned(stage, "the stages before have proved nothing in this wave")
	}
	w.turn.pinned, w.status.Stages[stage].Pinned = &pinned, &pinned
	w.show(ctx)
	return "", true
}

func (w *wave) unpinned(stage int, why string) (patch.Outcome, bool) {
	w.reason = strings.TrimPrefix(w.reason+"; "+w.plan.Stages[stage].Name+" was not begun: it is bound to what the "+
		"stages before prove (pin: manifest), and "+why, "; ")
	return patch.Aborted, false
}
