package workflows

import (
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	enums "go.temporal.io/api/enums/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// order tells a group what to do. A group that is gone is noticed by its future.
func (w *wave) order(ctx workflow.Context, held *heldGroup, order GroupOrder) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if w.window {
		order.Window = w.plan.Window
	}
	if w.paused != nil && slices.Contains([]OrderKind{OrderRetry, OrderSkip}, order.Kind) {
		order.Paused, order.Why = true, whyPaused(w.paused)
	}
	if err := held.child.SignalChildWorkflow(clean, names.SignalGroupOrder, order).Get(clean, nil); err != nil {
		workflow.GetLogger(ctx).Warn("order not delivered", "group", held.group.String(), "order", order.Kind, "error", err)
	}
}

func (w *wave) orderStage(ctx workflow.Context, number int, order GroupOrder) {
	for _, held := range w.stageGroups(number) {
		if held.started {
			w.order(ctx, held, order)
		}
	}
}

// orderRunning gives an order to the groups that are at work or pause in it.
func (w *wave) orderRunning(ctx workflow.Context, number int, order GroupOrder) {
	for _, held := range w.stageGroups(number) {
		if held.started && (held.counts.Phase == patch.GroupPatching || held.counts.Phase == patch.GroupPaused) {
			w.order(ctx, held, order)
		}
	}
}

func (w *wave) stageGroups(number int) []*heldGroup {
	var groups []*heldGroup
	for _, held := range w.groups {
		if held.stage == number {
			groups = append(groups, held)
		}
	}
	return groups
}

func (w *wave) heldOf(number int) []*heldGroup {
	var groups []*heldGroup
	for _, held := range w.stageGroups(number) {
		if held.counts.Phase == patch.GroupHeld {
			groups = append(groups, held)
		}
	}
	return groups
}

// running counts the groups that may have an instance under way.
func (w *wave) running(number int) int {
	count := 0
	for _, held := range w.stageGroups(number) {
		if held.started && !settled(held) && held.counts.Phase != patch.GroupPaused {
			count++
		}
	}
	return count
}

// begun counts the groups that take up a place of max_parallel_groups: also those that a freeze or a pause holds, for they go on
// by themselves.
func (w *wave) begun(number int) int {
	count := 0
	for _, held := range w.stageGroups(number) {
		if held.started && !settled(held) {
			count++
		}
	}
	return count
}

// idle tells that the stage has nothing more to do.
func (w *wave) idle(number int, stopping bool) bool {
	for _, held := range w.stageGroups(number) {
		switch {
		case !held.started && !stopping && !w.stopsForLost(number):
			return false
		case held.started && !settled(held):
			return false
		case held.counts.Phase == patch.GroupHeld && !stopping:
			return false
		}
	}
	return true
}

// stopsForLost tells that a group of the stage ended without its word: what became of its instances nobody knows, and so no
// other group is begun.
func (w *wave) stopsForLost(number int) bool {
	return slices.ContainsFunc(w.stageGroups(number), func(held *heldGroup) bool { return held.lost })
}

// stopWaiting tells groups that wait for a held one to stop, once that one's workflow has ended without its word: nobody is left to
// decide about it, and so nothing would ever let them go on.
func (w *wave) stopWaiting(ctx workflow.Context, number int) {
	if !w.stopsForLost(number) || len(w.heldOf(number)) > 0 {
		return
	}
	for _, held := range w.stageGroups(number) {
		if held.counts.Phase != patch.GroupPaused || held.counts.Reason != heldWhy {
			continue
		}
		held.counts.Phase = patch.GroupPatching // until it has heard
		w.order(ctx, held, GroupOrder{Kind: OrderStop})
	}
}

// failures counts the stage's failed instances.
func (w *wave) failures(number int) int {
	count := 0
	for _, held := range w.stageGroups(number) {
		count += len(held.counts.Failed)
	}
	return count
}

// judge names the outcome of a stage that ran to its end.
func (w *wave) judge(number int) patch.Outcome {
	outcome := patch.Succeeded
	for _, held := range w.stageGroups(number) {
		if held.counts.Outcome == patch.Failed || held.counts.Phase != patch.GroupDone {
			return patch.Failed
		}
		if held.counts.Outcome == patch.Aborted { // the window closed
			w.reason = held.group.String() + ": " + held.counts.Reason
			return patch.Aborted
		}
		if held.counts.Outcome != patch.Succeeded {
			outcome = patch.SucceededWithSkips
		}
	}
	w.status.Stages[number].Outcome = outcome
	return outcome
}

// isUnserved tells that no worker took the task.
func isUnserved(err error) bool {
	var timeout *temporal.TimeoutError
	return errors.As(err, &timeout) && timeout.TimeoutType() == enums.TIMEOUT_TYPE_SCHEDULE_TO_START
}

// errorType is the type an activity's error has, for the wave's own.
func errorType(err error) string {
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		return typed.Type()
	}
	return "Preflight"
}
