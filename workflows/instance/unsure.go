package instance

import (
	"slices"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// unsure tells that the step failed in an act on what lags, which may have had its effect; a wait that ran out or was cancelled,
// and something that is gone, leave no doubt.
func unsure(failed patch.Step, cause error) bool {
	acts := []patch.Step{patch.StepMark, patch.StepSuspend, patch.StepStandby, patch.StepReturn, patch.StepRelease}
	return slices.Contains(acts, failed) && !temporal.IsCanceledError(cause) &&
		!run.IsType(cause, activities.ErrNotReady, activities.ErrGone, activities.ErrGroupNotFound)
}
