package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// frozen tells why no instance may begin for the time being; "" when one may, and when the wave's run has ended, which
// stops the group. No answer is a freeze. Putting back is never asked for.
func (g *group) frozen(ctx workflow.Context) string {
	answer := freeze.Ask(ctx, run.Owner(ctx), g.in.Group.Account.Name)
	if answer.Ended {
		g.orphan()
		return ""
	}
	return answer.Why
}

// freeze holds the group between two instances, with nothing out of service, until the freeze is lifted or the wave has
// another order for it. Where another freeze holds it from then on, it says so.
func (g *group) freeze(ctx workflow.Context, why string) {
	g.enter(ctx, patch.GroupPaused, why)
	watch, stop := workflow.WithCancel(ctx)
	g.thawed = stop
	workflow.Go(watch, func(c workflow.Context) {
		if err := workflow.ExecuteActivity(freeze.Thawing(c, g.in.Policy.Timing), control.AwaitThaw,
			activities.AwaitThawInput{
				Accounts: []string{g.in.Group.Account.Name}, Poll: g.in.Policy.Timing.Poll, Told: why,
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
