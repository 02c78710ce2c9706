package freeze

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// State is whether something may begin.
type State struct {
	Why   string // why nothing may; "": it may
	Lift  string // the command that lifts it; "": nobody knows what there is to lift
	Ended bool   // whoever began the asker has ended: nothing ever may
}

// Frozen reports whether nothing may begin for the time being.
func (s State) Frozen() bool { return s.Why != "" && !s.Ended }

// Ask asks for a freeze of any of the accounts, and whether the owner's run goes on; nil: there is none. Whoever is
// cancelled meanwhile looks at that next, and is told that nothing is frozen.
func Ask(ctx workflow.Context, owner *activities.RunOf, accounts ...string) State {
	var frozen activities.Frozen
	err := workflow.ExecuteActivity(
		run.Controlling(ctx, "is anything frozen"), control.AskFreeze,
		activities.AskFreezeInput{Accounts: accounts, Owner: owner},
	).Get(ctx, &frozen)
	switch {
	case ctx.Err() != nil:
		return State{}
	case err != nil:
		return State{Why: "nobody knows whether it is frozen: " + run.Reason(err)}
	}
	return State{Why: frozen.Why, Lift: frozen.Lift, Ended: frozen.Ended}
}

// Thawing is for the wait for the end of a freeze: it has no budget, for a person ends it.
func Thawing(ctx workflow.Context, t patch.Timing) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: names.TaskQueue, Summary: "until the freeze is lifted", StartToCloseTimeout: t.Look.D(),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: t.Poll.D(), BackoffCoefficient: 1,
		},
	})
}
