package wave

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// ErrReset is the type of the error that ends a wave which somebody has reset in Temporal.
const ErrReset = "Reset"

// unlessReset runs a wave to its end, or to the moment at which it learns that it is not the run that its history began
// with: somebody has reset it. Its groups were that one's and take no orders from this one: they stop between two
// instances, leave what they did in the evidence, and free their locks. This run ends at once, and touches and writes
// nothing: what it believes is from before.
func unlessReset(
	ctx workflow.Context, wave func(workflow.Context) (*patch.WaveResult, error),
) (result *patch.WaveResult, err error) {
	itself := run.Itself(ctx)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	over, reset := false, false
	workflow.Go(clean, func(c workflow.Context) {
		reset = run.AwaitClosed(c, itself, run.ItselfPoll, "unless somebody resets the wave")
	})
	workflow.Go(ctx, func(c workflow.Context) {
		result, err = wave(c)
		over = true
	})
	if waited := workflow.Await(clean, func() bool { return over || reset }); waited != nil {
		return nil, waited
	}
	if !over {
		return nil, temporal.NewNonRetryableApplicationError(fmt.Sprintf("this wave was reset in Temporal from run %s, "+
			"which no wave survives: its groups stop between two instances and free their locks by themselves. Once they have, "+
			"`patchtide wave roll-back %s` puts back what it had patched, and another wave patches the rest",
			itself.RunID, itself.WorkflowID), ErrReset, nil)
	}
	return result, err
}
