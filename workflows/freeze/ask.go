package freeze

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Ask asks for a freeze of any of the accounts.
func Ask(ctx workflow.Context, accounts ...string) string {
	var frozen activities.Frozen
	err := workflow.ExecuteActivity(
		run.Controlling(ctx, "is anything frozen"), control.AskFreeze, activities.AskFreezeInput{Accounts: accounts},
	).Get(ctx, &frozen)
	switch {
	case ctx.Err() != nil:
		return "" // cancelled, which the caller looks at next
	case err != nil:
		return "nobody knows whether it is frozen: " + run.Reason(err)
	}
	return frozen.Why
}

// Thawing is for the wait for the end of a freeze: it has no budget, for a person ends it.
func Thawing(ctx workflow.Context, t patch.Timing) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: names.TaskQueue, Summary: "until the freeze is lifted", StartToCloseTimeout: t.Look.D(),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: t.Poll.D(), BackoffCoefficient: 1, MaximumAttempts: run.Unlimited,
		},
	})
}
