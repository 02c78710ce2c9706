package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// follow shows what the instance under way is doing, and lets the wave know when it asked for that.
func (g *group) follow(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	news := workflow.GetSignalChannelWithOptions(clean, names.SignalInstanceNow, workflow.SignalChannelOptions{
		Description: "What an instance is doing; for instances only",
	})
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var now patch.InstanceNow
			news.Receive(c, &now)
			if !run.Newer(g.status.Now, now) {
				continue
			}
			g.status.Now = &now
			if now.Failing != nil || g.status.Failing != nil {
				g.fails(c, now.Failing)
			}
			workflow.SetCurrentDetails(c, g.details(c))
			if g.in.Tells && parent != nil {
				now.Done = g.done()
				workflow.SignalExternalWorkflow(c, parent.ID, parent.RunID, names.SignalInstanceNow, now)
			}
		}
	})
}
