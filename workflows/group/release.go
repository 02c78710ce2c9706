package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// ReleaseInput starts ReleaseGroup. Its workflow id is the group's lock.
type ReleaseInput struct {
	WaveID string // of what is written into the journal: see names.QuarantineID
	Group  patch.Group
	Policy patch.Policy
	End    instance.QuarantineEnd
}

// ReleaseGroup ends the quarantine of one instance of the group, by its release or its termination, and closes; no
// orders are needed. A release changes the group's desired and processes, so the group is journalled and marked for its
// time.
func ReleaseGroup(ctx workflow.Context, in ReleaseInput) (*End, error) {
	if err := run.ChildOf(
		ctx, "Quarantine or Reconcile,", names.QuarantineID(in.End.Record.Instance), names.ReconcileID,
	); err != nil {
		return nil, err
	}
	g := newGroup(Input{WaveID: in.WaveID, Group: in.Group, Policy: in.Policy})
	return g.alone(ctx, func(ctx workflow.Context) { g.endQuarantine(ctx, in.End) })
}

func (g *group) endQuarantine(ctx workflow.Context, end instance.QuarantineEnd) {
	id := end.Record.Instance
	g.enter(ctx, patch.GroupPatching, string(end.Verb)+" "+id)
	marked := end.Verb == patch.QuarantineRelease && g.in.Group.IsAutoScaling()
	if marked {
		var state patch.GroupState
		err := workflow.ExecuteActivity(run.Reading(ctx, g.in.Group, g.in.Policy.Timing), aws.InspectGroup,
			activities.InspectGroupInput{Group: g.in.Group}).Get(ctx, &state)
		if err == nil {
			err = g.mark(ctx, state, nil)
		}
		if err != nil {
			result := patch.Untouched(id)
			result.Outcome, result.Reason = patch.Quarantined, "nothing was changed: "+run.Reason(err)
			g.status.Instances = append(g.status.Instances, result)
			g.enter(ctx, patch.GroupDone, "")
			return
		}
	}
	of := instance.Common{WaveID: g.in.WaveID, Group: g.in.Group, Instance: id, Policy: g.in.Policy}
	result := g.child(ctx, string(end.Verb)+" "+id, of, instance.EndQuarantine, instance.EndQuarantineInput{
		Common: of, End: end,
	})
	g.status.Instances = append(g.status.Instances, result)
	g.status.Stranded = append(g.status.Stranded, result.Stranded...)
	if marked {
		g.giveBack(ctx)
	}
	g.enter(ctx, patch.GroupDone, "")
}
