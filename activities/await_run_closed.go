package activities

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// RunOf is one run of a workflow. A Reset in Temporal ends the run that it is asked for and begins another under the
// same id, which knows of the first one's children and cannot order them.
type RunOf struct {
	WorkflowID string
	RunID      string
}

// AwaitRunClosedInput names the run that is waited for.
type AwaitRunClosedInput struct {
	Run  RunOf
	Poll patch.Duration // until it is asked again
}

// AwaitRunClosed waits until a run has closed, however: whoever it began is left with nobody to order them.
func (c *Control) AwaitRunClosed(ctx context.Context, in AwaitRunClosedInput) error {
	runs, err := c.runs(ctx, in.Run)
	switch {
	case err != nil:
		return err
	case runs:
		return once.NotReady(in.Poll.D(), "run %s of %s goes on, as it should", in.Run.RunID, in.Run.WorkflowID)
	}
	return nil
}

func (c *Control) runs(ctx context.Context, run RunOf) (bool, error) {
	runs, err := c.Locks.Runs(ctx, run.WorkflowID, run.RunID)
	if err != nil {
		return false, temporal.NewApplicationErrorWithCause(
			"ask Temporal whether run "+run.RunID+" of "+run.WorkflowID+" goes on: "+err.Error(), ErrLockUnknown, err,
		)
	}
	return runs, nil
}
