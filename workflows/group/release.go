package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// endQuarantine releases or terminates a quarantined instance of the group. A release changes the group's desired and processes, so
// the group is journalled and marked for its time.
func (g *group) endQuarantine(ctx workflow.Context) {
	settle := g.in.EndQuarantine
	id := settle.Record.Instance
	g.enter(ctx, patch.GroupPatching, string(settle.Verb)+" "+id)
	marked := settle.Verb == patch.QuarantineRelease && g.in.Group.IsAutoScaling()
	if marked {
		var state patch.GroupState
		err := workflow.ExecuteActivity(run.Reading(ctx, g.in.Group, g.in.Policy.Timing), aws.InspectGroup, activities.InspectGroupInput{Group: g.in.Group}).Get(ctx, &state)
		if err == nil {
			err = g.mark(ctx, state)
		}
		if err != nil {
			result := patch.Untouched(id)
			result.Outcome, result.Reason = patch.Quarantined, "nothing was changed: "+run.Reason(err)
			g.status.Instances = append(g.status.Instances, result)
			g.enter(ctx, patch.GroupDone, "")
			return
		}
	}
	result := g.child(ctx, string(settle.Verb)+" "+id, instance.Input{
		WaveID: g.in.WaveID, Group: g.in.Group, Instance: id, Policy: g.in.Policy, EndQuarantine: settle,
	})
	g.status.Instances = append(g.status.Instances, result)
	g.status.Stranded = append(g.status.Stranded, result.Stranded...)
	if marked {
		g.giveBack(ctx)
	}
	g.enter(ctx, patch.GroupDone, "")
}
