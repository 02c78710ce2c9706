package run

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// OutwaitLag waits until AWS's reads show what was done last. An act that ends well ends only once they do; one that
// failed may have had its effect all the same, and its undo would take the state before it for the truth.
func OutwaitLag(ctx workflow.Context, t patch.Timing) {
	// Its only error is that a person gives up, which ends the undo itself.
	_ = workflow.NewTimerWithOptions(ctx, t.ReadLag.D(), workflow.TimerOptions{
		Summary: "until AWS's reads show what the failed call may have done",
	}).Get(ctx, nil)
}
