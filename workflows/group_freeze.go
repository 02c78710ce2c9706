package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// frozen tells why no instance may begin; "" when one may. No answer is a freeze. Putting back is never asked for.
func (g *group) frozen(ctx workflow.Context) string {
	return askFreeze(ctx, g.in.Group.Account.Name)
}

// askFreeze asks for a freeze of any of the accounts.
func askFreeze(ctx workflow.Context, accounts ...string) string {
	var frozen activities.Frozen
	err := workflow.ExecuteActivity(controlling(ctx, "is anything frozen"), control.AskFreeze, activities.AskFreezeInput{Accounts: accounts}).Get(ctx, &frozen)
	switch {
	case ctx.Err() != nil:
		return "" // cancelled, which the caller looks at next
	case err != nil:
		return "nobody knows whether it is frozen: " + reason(err)
	}
	return frozen.Why
}

// freeze holds the group between two instances, with nothing out of service, until the freeze is lifted or the wave has another
// order for it.
func (g *group) freeze(ctx workflow.Context, why string) {
	g.enter(ctx, patch.GroupPaused, why)
	watch, stop := workflow.WithCancel(ctx)
	g.thawed = stop
	workflow.Go(watch, func(c workflow.Context) {
		if err := workflow.ExecuteActivity(thawing(c, g.in.Policy.Timing), control.AwaitThaw, activities.AwaitThawInput{
			Accounts: []string{g.in.Group.Account.Name}, Poll: g.in.Policy.Timing.Poll,
		}).Get(c, nil); err == nil {
			g.orders = append(g.orders, OrderResume)
		}
	})
}

func (g *group) endThawWatch() {
	if g.thawed != nil {
		g.thawed()
		g.thawed = nil
	}
}

// thawing is for the wait for the end of a freeze: it has no budget, for a person ends it.
func thawing(ctx workflow.Context, t patch.Timing) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: names.TaskQueue, Summary: "until the freeze is lifted", StartToCloseTimeout: t.Look.D(),
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: t.Poll.D(), BackoffCoefficient: 1, MaximumAttempts: unlimited},
	})
}
