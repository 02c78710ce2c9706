package workflows

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// outwaitLag waits until AWS's reads show what was done last. An act that ends well ends only once they do; one that failed may
// have had its effect all the same, and its undo would take the state before it for the truth.
func outwaitLag(ctx workflow.Context, t patch.Timing) {
	// Its only error is that a person gives up, which ends the undo itself.
	_ = workflow.NewTimerWithOptions(ctx, t.ReadLag.D(), workflow.TimerOptions{
		Summary: "until AWS's reads show what the failed call may have done",
	}).Get(ctx, nil)
}

// unsure tells that the step failed in an act on what lags, which may have had its effect; a wait that ran out or was cancelled,
// and something that is gone, leave no doubt.
func unsure(failed patch.Step, cause error) bool {
	acts := []patch.Step{patch.StepMark, patch.StepSuspend, patch.StepStandby, patch.StepReturn, patch.StepRelease}
	return slices.Contains(acts, failed) && !temporal.IsCanceledError(cause) &&
		!isType(cause, activities.ErrNotReady, activities.ErrGone, activities.ErrGroupNotFound)
}
