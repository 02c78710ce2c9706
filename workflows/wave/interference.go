package wave

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// look asks before anything is changed anywhere what others do to a group and each of its instances.
func (w *wave) look(ctx workflow.Context, group patch.Group, state patch.GroupState, stage int) error {
	policy := patch.PolicyOf(w.plan, w.plan.Stages[stage])
	if late := policy.TooLate(group.String(), workflow.Now(ctx), state.TargetGroups); late != nil {
		late.WhatToDo = "start the wave earlier in the window, or widen it"
		return run.Refused(late)
	}
	estimate := policy.Budget(state.TargetGroups).OnItsWay()
	if refusal := patch.MayOutlive(group, state, estimate*patch.Duration(len(state.Members))); refusal != nil {
		return run.Refused(refusal)
	}
	around, err := run.ReadInterference(ctx, activities.ReadInterferenceInput{
		Group: group, Instances: state.IDs(), Calendars: policy.Calendars, Alarms: run.Gates(policy.Health), Restore: policy.Restore, Within: estimate,
	}, policy.Timing)
	if err != nil {
		return run.PreflightError(group, err)
	}
	for _, refusal := range []*patch.Refusal{
		patch.MayDisturb(group, around), patch.MayUnlock(group, policy.Restore, around), patch.MayJudge(group, policy.Bake, around.GateAlarms),
	} {
		if refusal != nil {
			return run.Refused(refusal)
		}
	}
	return nil
}
