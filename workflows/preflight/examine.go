package preflight

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// ExamineInput starts ExamineGroups.
type ExamineInput struct {
	WaveID string
	Plan   patch.Plan // the wave's, with the batch's groups only
}

// Examined is what a wave keeps of a group that may be patched.
type Examined struct {
	Members []string // in order
	Behind  patch.Behind
	Each    patch.Duration // what one instance is likely to take
	From    string         // what that is made of
	AtOnce  int            // so many are patched at once
	Zones   []string       // those in which it has instances
	LeftOut []patch.Gap    // members that are excluded, or not taken by this wave
	Launch  patch.Duration // one more instance, before the first goes out; 0: none is launched
	Blocked []string       // patches that it leaves out, by whom and why
}

// ExamineGroups reads groups, and refuses one that cannot be patched as the plan says. It changes nothing.
func ExamineGroups(ctx workflow.Context, in ExamineInput) ([]Examined, error) {
	type planned struct {
		group patch.Group
		stage patch.Stage
	}
	var groups []planned
	for _, stage := range in.Plan.Stages {
		for _, group := range stage.Groups {
			groups = append(groups, planned{group, stage})
		}
	}
	return ofEach(ctx, in.WaveID, groups, func(ctx workflow.Context, p planned) (Examined, error) {
		return examine(ctx, in.Plan, p.stage, p.group)
	})
}

// examine reads a group, and asks the table of checks. Its task must be picked up soon: an account's queue that nobody
// serves is a worker that does not know the account.
func examine(ctx workflow.Context, plan patch.Plan, stage patch.Stage, group patch.Group) (found Examined, err error) {
	state, err := run.InspectServed(run.Sweeping(ctx, group, plan.Timing), group)
	if err != nil {
		return found, err
	}
	reach := patch.ReachOf(state, stage.Order)
	found.Members, found.Zones, found.LeftOut, found.Behind = reach.Taken, reach.Zones, reach.LeftOut, state.Behind()
	if reach.Nobody() {
		return found, nil
	}
	view := patch.View{Group: group, Policy: patch.PolicyOf(plan.Of(group), stage).AsCanary(), State: &state}
	if err := Refused(ctx, patch.LevelWave, view); err != nil {
		return found, err
	}
	around, err := run.ReadInterference(ctx, InterferenceOf(group, state, view.Policy), plan.Timing)
	if err != nil {
		return found, run.PreflightError(group, err)
	}
	view.Around = &around
	if err := Refused(ctx, patch.LevelWave, view); err != nil {
		return found, err
	}
	strategy, _ := patch.PlanCapacity(group, state, stage) // what it refuses is in the table
	if around.Blocks != nil {
		found.Blocked = around.Blocks.Told
	}
	found.Each, found.From = plan.Likely(stage, state.TargetGroups)
	found.AtOnce, found.Launch = strategy.AtOnce, strategy.LaunchTime(plan.Timing)
	return found, nil
}

// InterferenceOf asks what others do to a group and each of its instances.
func InterferenceOf(group patch.Group, state patch.GroupState, policy patch.Policy) activities.ReadInterferenceInput {
	return activities.ReadInterferenceInput{
		Documents: policy.Hooks.Documents(), Functions: policy.Hooks.Functions(),
		Group: group, Instances: state.Awake(), Calendars: policy.Calendars, Alarms: run.Gates(policy.Health),
		Metrics: patch.Metrics(policy.Health), Blocked: true,
		Baseline: policy.Baseline, Restore: policy.Restore, Within: policy.Budget(state.TargetGroups).OnItsWay(),
	}
}
