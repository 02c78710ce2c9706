package wave

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
)

// goOn makes a parked wave ready to go on: preflight of what is left to do, then every lock, a scan, and the groups of
// the stage are as before their first turn. After an error no lock is held.
func (w *wave) goOn(ctx workflow.Context, stage int) error {
	w.enter(ctx, patch.StatePreflight, "")
	if err := w.mayGoOn(ctx, stage); err != nil {
		return err
	}
	if err := w.lockAgain(ctx); err != nil {
		return err
	}
	if err := w.scanAgain(ctx, stage); err != nil {
		w.letGo(ctx, group.OrderPark)
		return err
	}
	for _, held := range w.roster.of(stage) {
		if held.counts.Closed != "" || held.counts.Phase == patch.GroupPaused {
			held.started, held.waits = false, false
			held.counts.Phase, held.counts.Closed, held.counts.Reason = patch.GroupIdle, "", ""
		}
	}
	return nil
}

// mayGoOn is preflight once more, of the groups that have something to do. What a hold is about is asked by the group
// itself, since skip may be the answer to it.
func (w *wave) mayGoOn(ctx workflow.Context, stage int) error {
	if err := w.checkPlan(ctx); err != nil {
		return err
	}
	return w.examine(ctx, w.waiting(stage))
}

// scanAgain counts what is missing now, by the baseline that the wave began with.
func (w *wave) scanAgain(ctx workflow.Context, stage int) error {
	w.parking.rounds++
	return w.scan(ctx, w.waiting(stage), "scan-again")
}

// waiting are the groups that have something to do, and about which nobody is asked.
func (w *wave) waiting(stage int) []*lockedGroup {
	return w.roster.which(func(held *lockedGroup) bool {
		return w.hasToDo(held, stage) && held.counts.Phase != patch.GroupHeld
	})
}

// hasToDo reports whether instances of the group are left to be patched, from a stage on.
func (w *wave) hasToDo(held *lockedGroup, stage int) bool {
	return held.stage >= stage && (held.counts.Phase != patch.GroupDone || held.counts.Closed != "")
}

// lockAgain takes every lock that the wave had before it was parked. Its error says who holds one of them; then it has
// none.
func (w *wave) lockAgain(ctx workflow.Context) error {
	err := w.lock(ctx)
	if err != nil {
		w.letGo(ctx, group.OrderPark)
	}
	return err
}
