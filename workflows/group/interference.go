package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// look asks before a group begins what concerns it as a whole. What ends a window or a calendar closes the group, which is no
// failure.
func (g *group) look(ctx workflow.Context, state patch.GroupState) string {
	policy := g.in.Policy
	if late := policy.TooLate(g.in.Group.String(), workflow.Now(ctx), state.TargetGroups); late != nil {
		g.close(late)
		return late.Error()
	}
	estimate := policy.Budget(state.TargetGroups).OnItsWay()
	if refusal := patch.MayOutlive(g.in.Group, state, estimate*patch.Duration(len(state.Members))); refusal != nil {
		return refusal.Error()
	}
	around, err := run.ReadInterference(ctx, activities.ReadInterferenceInput{
		Group: g.in.Group, Calendars: policy.Calendars, Restore: policy.Restore, Within: estimate, Alarms: run.Gates(policy.Health),
	}, policy.Timing)
	if err != nil {
		return run.Reason(err)
	}
	refusal := patch.MayDisturb(g.in.Group, around)
	if refusal == nil {
		refusal = patch.MayJudge(g.in.Group, policy.Bake, around.GateAlarms)
	}
	if refusal == nil {
		return ""
	}
	if refusal.Code == patch.RefusedCalendar {
		g.close(refusal)
	}
	return refusal.Error()
}
