package wave

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
)

// order tells a group what to do. A group that is gone is noticed by its future.
func (w *wave) order(ctx workflow.Context, held *lockedGroup, order group.Order) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if w.window {
		order.Window = w.plan.Window
	}
	if w.paused != nil && slices.Contains([]group.OrderKind{group.OrderRetry, group.OrderSkip}, order.Kind) {
		order.Paused, order.Why = true, whyPaused(w.paused)
	}
	if err := held.child.SignalChildWorkflow(clean, names.SignalGroupOrder, order).Get(clean, nil); err != nil {
		workflow.GetLogger(ctx).Warn("order not delivered", "group", held.group.String(), "order", order.Kind, "error", err)
	}
}

func (w *wave) orderStage(ctx workflow.Context, number int, order group.Order) {
	for _, held := range w.stageGroups(number) {
		if held.started {
			w.order(ctx, held, order)
		}
	}
}

// orderRunning gives an order to the groups that are at work or pause in it.
func (w *wave) orderRunning(ctx workflow.Context, number int, order group.Order) {
	for _, held := range w.stageGroups(number) {
		if held.started && (held.counts.Phase == patch.GroupPatching || held.counts.Phase == patch.GroupPaused) {
			w.order(ctx, held, order)
		}
	}
}

// stopWaiting tells groups that wait for a held one to stop, once that one's workflow has ended without its word: nobody is left to
// decide about it, and so nothing would ever let them go on.
func (w *wave) stopWaiting(ctx workflow.Context, number int) {
	if !w.stopsForLost(number) || len(w.onHold(number)) > 0 {
		return
	}
	for _, held := range w.stageGroups(number) {
		if held.counts.Phase != patch.GroupPaused || held.counts.Reason != heldWhy {
			continue
		}
		held.counts.Phase = patch.GroupPatching // until it has heard
		w.order(ctx, held, group.Order{Kind: group.OrderStop})
	}
}

// giveUp tells groups that still put things back to stop trying and to report what is left.
func (w *wave) giveUp(ctx workflow.Context, first, last int) {
	w.takeDecision()
	for number := first; number <= last; number++ {
		w.orderStage(ctx, number, group.Order{Kind: group.OrderGiveUp})
	}
}
