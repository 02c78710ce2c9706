package group

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// follow shows what the instances under way are doing, and lets the wave know when it asked for that.
func (g *group) follow(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	news := workflow.GetSignalChannelWithOptions(clean, names.SignalInstanceNow, workflow.SignalChannelOptions{
		Description: "What an instance is doing; for instances only",
	})
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var now patch.InstanceNow
			news.Receive(c, &now)
			known := nowOf(g.status.Now, now.ID)
			if known == nil || now.Since.Before(known.Since) {
				continue // it has ended, or signals have overtaken each other
			}
			failing := known.Failing != nil || now.Failing != nil
			*known = now
			if failing {
				g.fails(c)
			}
			g.passNow(c)
		}
	})
}

// passNow shows what is under way, and passes it on to a wave that asked for it.
func (g *group) passNow(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, g.details(ctx))
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if !g.in.Tells || parent == nil {
		return
	}
	workflow.SignalExternalWorkflow(ctx, parent.ID, parent.RunID, names.SignalGroupNow, patch.GroupAtWork{
		Group: g.status.Group, At: workflow.Now(ctx), Done: g.done(), Tally: patch.TallyOf(g.status.Instances),
		Now: slices.Clone(g.status.Now),
	})
}

// nowOf is what an instance under way is doing; nil where it is not under way.
func nowOf(all []patch.InstanceNow, id string) *patch.InstanceNow {
	i := slices.IndexFunc(all, func(now patch.InstanceNow) bool { return now.ID == id })
	if i < 0 {
		return nil
	}
	return &all[i]
}
