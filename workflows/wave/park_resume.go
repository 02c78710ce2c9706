package wave

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/scan"
)

// goOn makes a parked wave ready to go on: preflight of what is left to do, then every lock, a scan, and the groups of the stage are as
// before their first turn. It says why it could not; then no lock is held.
func (w *wave) goOn(ctx workflow.Context, number int) string {
	w.enter(ctx, patch.StatePreflight, "")
	if err := w.mayGoOn(ctx, number); err != nil {
		return run.Reason(err)
	}
	if why := w.lockAgain(ctx); why != "" {
		return why
	}
	if err := w.scanAgain(ctx, number); err != nil {
		w.letGo(ctx, group.OrderPark)
		return run.Reason(err)
	}
	for _, held := range w.stageGroups(number) {
		if held.counts.Closed != "" || held.counts.Phase == patch.GroupPaused {
			held.started = false
			held.counts.Phase, held.counts.Closed, held.counts.Reason = patch.GroupIdle, "", ""
		}
	}
	return ""
}

// mayGoOn is preflight once more, of the groups that have something to do. What a hold is about is asked by the group itself,
// since skip may be the answer to it.
func (w *wave) mayGoOn(ctx workflow.Context, number int) error {
	if err := w.checkPlan(ctx); err != nil {
		return err
	}
	for _, held := range w.groups {
		if !w.hasToDo(held, number) || held.counts.Phase == patch.GroupHeld {
			continue
		}
		if err := w.examine(ctx, held); err != nil {
			return err
		}
	}
	return nil
}

// scanAgain counts what is missing now, by the baseline that the wave began with. As at first, a scan that fails is told but does
// not refuse: each instance is scanned before it is touched.
func (w *wave) scanAgain(ctx workflow.Context, number int) error {
	w.rounds++
	for _, held := range w.groups {
		if !w.hasToDo(held, number) || held.counts.Phase == patch.GroupHeld {
			continue
		}
		scans, err := scan.Instances(ctx, held.group, w.plan.Timing, held.members, held.baselineID, w.status.WaveID,
			run.Attempt(w.status.WaveID, held.group.String(), "scan-again", w.rounds))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			workflow.GetLogger(ctx).Warn("scan after the wave was parked failed", "group", held.group.String(), "error", run.Reason(err))
		default:
			held.count(scans)
		}
	}
	return nil
}

// hasToDo tells that instances of the group are left to be patched, from a stage on.
func (w *wave) hasToDo(held *lockedGroup, number int) bool {
	return held.stage >= number && (held.counts.Phase != patch.GroupDone || held.counts.Closed != "")
}

// lockAgain takes every lock that the wave had before it was parked. It says who holds one of them; then it has none.
func (w *wave) lockAgain(ctx workflow.Context) string {
	err := w.lock(ctx)
	if err == nil {
		return ""
	}
	w.letGo(ctx, group.OrderPark)
	return run.Reason(err)
}
