package wave

import (
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/preflight"
)

// batchesAtOnce bounds the children that work for this wave on batches of groups.
const batchesAtOnce = 4

// inBatches starts a child of the wave for each batch of groups, some at once, and keeps what it answers of each. The
// error is the first in the groups' order.
func inBatches[A any](
	ctx workflow.Context, w *wave, kind any, does string, batches [][]*lockedGroup,
	input func([]*lockedGroup) any, keep func(*lockedGroup, A),
) error {
	err := run.EachAtOnce(ctx, len(batches), batchesAtOnce, func(ctx workflow.Context, i int) error {
		batch := batches[i]
		does := fmt.Sprintf("%s %d groups, from %s on", does, len(batch), batch[0].group)
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			TaskQueue: names.TaskQueue, ParentClosePolicy: run.ParentClose, WaitForCancellation: true,
			StaticSummary:         does,
			TypedSearchAttributes: w.attributes(),
		})
		var answers []A
		working := workflow.ExecuteChildWorkflow(child, kind, input(batch))
		defer w.showHelper(ctx, working, does)()
		if err := working.Get(ctx, &answers); err != nil {
			return ofBatch(err)
		}
		if len(answers) != len(batch) {
			return fmt.Errorf("asked a child about %d groups, it answered of %d", len(batch), len(answers))
		}
		for n, held := range batch {
			keep(held, answers[n])
		}
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// showHelper shows a child that works for the wave for as long as it does, so that its page can be found; done ends it.
func (w *wave) showHelper(ctx workflow.Context, working workflow.ChildWorkflowFuture, does string) (done func()) {
	var execution workflow.Execution
	if working.GetChildWorkflowExecution().Get(ctx, &execution) != nil {
		return func() {} // it was not started, as its result tells
	}
	w.status.Helpers = append(w.status.Helpers, patch.Helper{WorkflowID: execution.ID, Does: does})
	w.show(ctx)
	return func() {
		w.status.Helpers = slices.DeleteFunc(w.status.Helpers, func(helper patch.Helper) bool {
			return helper.WorkflowID == execution.ID
		})
		w.show(ctx)
	}
}

// ofBatch is why a child failed, in the words and of the type of what failed there.
func ofBatch(err error) error {
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		return typed
	}
	return err
}

// toScan are batches of groups whose members are read, or are to be.
func toScan(groups []*lockedGroup) [][]*lockedGroup {
	return preflight.Batches(groups, preflight.MostScanned, func(held *lockedGroup) int { return len(held.members) })
}

// toJudge are batches of groups of which a closed wave left instances patched.
func toJudge(groups []*lockedGroup) [][]*lockedGroup {
	return preflight.Batches(groups, preflight.MostJudged, func(held *lockedGroup) int { return len(held.results) })
}

// plainly are the groups themselves.
func plainly(groups []*lockedGroup) []patch.Group {
	plain := make([]patch.Group, len(groups))
	for i, held := range groups {
		plain[i] = held.group
	}
	return plain
}
