package wave

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
)

// ordersAtOnce bounds the orders that are on their way at once: Temporal keeps up to a hundred events for a workflow
// while a task of it runs.
const ordersAtOnce = 50

// order tells groups what to do. It returns when all were told: what is ordered next comes after it. A group that is
// gone is noticed by its future.
func (w *wave) order(ctx workflow.Context, groups []*lockedGroup, order group.Order) {
	w.orderEach(ctx, groups, func(*lockedGroup) group.Order { return order })
}

// orderEach is order, with one of its own for each group. Orders go out together: one after another, each would cost
// the wave's history a workflow task.
func (w *wave) orderEach(ctx workflow.Context, groups []*lockedGroup, order func(*lockedGroup) group.Order) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	for some := range slices.Chunk(groups, ordersAtOnce) {
		sent := make([]workflow.Future, len(some))
		for i, held := range some {
			told := w.asItStands(order(held))
			told.Root = w.plan.RootImageFor(w.turn.images, held.group)
			sent[i] = held.child.SignalChildWorkflow(clean, names.SignalGroupOrder, told)
		}
		for i, held := range some {
			if err := sent[i].Get(clean, nil); err != nil {
				workflow.GetLogger(ctx).Warn("order not delivered", "group", held.group.String(), "error", err)
			}
		}
	}
}

// asItStands is an order with the window as extended, the pause that lasts, whether anything may be patched, and what
// binds that.
func (w *wave) asItStands(order group.Order) group.Order {
	if w.inbox.extended {
		order.Window = w.plan.Window
	}
	order.Unasked, order.Pinned = w.turn.unasked, w.turn.pinned
	answers := slices.Contains([]group.OrderKind{group.OrderRetry, group.OrderSkip}, order.Kind)
	if w.inbox.paused != nil && answers {
		order.Paused, order.Why = true, whyPaused(w.inbox.paused)
	}
	return order
}

// orderStage gives an order to the stage's groups that were told to go.
func (w *wave) orderStage(ctx workflow.Context, stage int, order group.Order) {
	w.order(ctx, w.roster.which(func(held *lockedGroup) bool { return held.stage == stage && held.started }), order)
}

const heldWhy = "waits while another group of the stage is held"

// makeWait lets groups that are at work wait for a held one, and those that wait already wait for it as well: one that
// a freeze holds must not go on when it is lifted, while a person is asked about another.
func (w *wave) makeWait(ctx workflow.Context, groups []*lockedGroup) {
	for _, held := range groups {
		held.waits = true
	}
	w.order(ctx, groups, group.Order{Kind: group.OrderPause, Why: heldWhy})
}

// stopWaiting tells groups that wait for a held one to stop, once that one's workflow has ended without its word:
// nobody is left to decide about it, and so nothing would ever let them go on.
func (w *wave) stopWaiting(ctx workflow.Context, groups []*lockedGroup) {
	for _, held := range groups {
		held.waits, held.counts.Phase = false, patch.GroupPatching // until it has heard
	}
	w.order(ctx, groups, group.Order{Kind: group.OrderStop})
}

// giveUp tells groups that still put things back to stop trying and to report what is left.
func (w *wave) giveUp(ctx workflow.Context, first, last int) {
	w.inbox.take()
	for stage := first; stage <= last; stage++ {
		w.orderStage(ctx, stage, group.Order{Kind: group.OrderGiveUp})
	}
}
