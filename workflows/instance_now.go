package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// tell lets the group know which step the instance is at, for people to look at. It does not wait, and a group that does not hear it
// only shows less. The last step is told by the instance's result.
func (s *saga) tell(ctx workflow.Context) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if !s.in.Tells || parent == nil || s.status.Step == patch.StepEnded {
		return
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	workflow.SignalExternalWorkflow(clean, parent.ID, parent.RunID, names.SignalInstanceNow, patch.InstanceNow{
		Group: s.in.Group.String(), ID: s.in.Instance, Step: s.status.Step, Undoing: s.status.Undoing || s.in.PutBack != nil, Since: s.status.Since,
	})
}

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
			if !newer(g.status.Now, now) {
				continue
			}
			g.status.Now = &now
			workflow.SetCurrentDetails(c, g.details())
			if g.in.Tells && parent != nil {
				workflow.SignalExternalWorkflow(c, parent.ID, parent.RunID, names.SignalInstanceNow, now)
			}
		}
	})
}

// follow shows what the instances of groups are doing.
func (w *wave) follow(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	news := workflow.GetSignalChannelWithOptions(clean, names.SignalInstanceNow, workflow.SignalChannelOptions{
		Description: "What an instance is doing; for groups only",
	})
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var now patch.InstanceNow
			news.Receive(c, &now)
			for _, held := range w.groups {
				if held.group.String() == now.Group && newer(held.now, now) {
					held.now = &now
					w.show(c)
				}
			}
		}
	})
}

// newer tells news from what is known already: signals may overtake each other.
func newer(known *patch.InstanceNow, now patch.InstanceNow) bool {
	return known == nil || !now.Since.Before(known.Since)
}

// atWork is what a group's instance is doing; nil where none is under way.
func atWork(phase patch.GroupPhase, now *patch.InstanceNow) *patch.InstanceNow {
	if phase != patch.GroupPatching && phase != patch.GroupRollingBack {
		return nil
	}
	return now
}

// followsInstances tells whether the wave is small enough to be told each step.
func (w *wave) followsInstances() bool {
	instances := 0
	for _, held := range w.groups {
		instances += len(held.members)
	}
	return patch.FollowsInstances(instances)
}
