package wave

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/scan"
)

// preflight reads every group and asks the table of checks, before anything is changed anywhere; then it takes the
// locks, registers runbook and baseline, and scans.
func (w *wave) preflight(ctx workflow.Context) error {
	if err := w.checkPlan(ctx); err != nil {
		return err
	}
	for i, stage := range w.plan.Stages {
		for _, group := range stage.Groups {
			held := &lockedGroup{group: group, stage: i, workflowID: names.GroupLock(group)}
			if err := w.examine(ctx, held); err != nil {
				return err
			}
			w.roster.groups = append(w.roster.groups, held)
		}
	}
	if err := w.lock(ctx); err != nil {
		return err
	}
	for _, held := range w.roster.groups {
		if err := w.prepare(ctx, held); err != nil {
			return err
		}
	}
	return nil
}

// wholePlan is what is known of a plan before anything is read.
func wholePlan(plan patch.Plan) patch.View {
	return patch.View{Policy: patch.PolicyOf(plan, patch.Stage{}), Groups: len(plan.Groups())}
}

// refused is the first refusal of what has been read so far, as an error.
func refused(ctx workflow.Context, level patch.Level, view patch.View) error {
	view.Now = workflow.Now(ctx)
	if refusal := patch.First(level, view); refusal != nil {
		return run.Refused(refusal)
	}
	return nil
}

// checkPlan asks what stands against the plan as a whole.
func (w *wave) checkPlan(ctx workflow.Context) error {
	view := wholePlan(w.plan)
	if err := refused(ctx, patch.LevelWave, view); err != nil {
		return err
	}
	view.Frozen = freeze.Ask(ctx, nil, accountsOf(w.plan)...).Why
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return refused(ctx, patch.LevelWave, view)
}

// accountsOf are the names of a plan's accounts, each once.
func accountsOf(plan patch.Plan) []string {
	var accounts []string
	for _, group := range plan.Groups() {
		if !slices.Contains(accounts, group.Account.Name) {
			accounts = append(accounts, group.Account.Name)
		}
	}
	return accounts
}

// examine reads a group, and refuses one that cannot be patched as the plan says. Its task must be picked up soon: an
// account's queue that nobody serves is a worker that does not know the account.
func (w *wave) examine(ctx workflow.Context, held *lockedGroup) error {
	group, stage := held.group, w.plan.Stages[held.stage]
	state, err := run.InspectServed(run.Sweeping(ctx, group, w.plan.Timing), group)
	if err != nil {
		return err
	}
	view := patch.View{Group: group, Policy: patch.PolicyOf(w.plan, stage), State: &state}
	if err := refused(ctx, patch.LevelWave, view); err != nil {
		return err
	}
	around, err := run.ReadInterference(ctx, interferenceOf(group, state, view.Policy), w.plan.Timing)
	if err != nil {
		return run.PreflightError(group, err)
	}
	view.Around = &around
	if err := refused(ctx, patch.LevelWave, view); err != nil {
		return err
	}
	strategy, _ := patch.PlanCapacity(group, state, stage) // what it refuses is in the table
	held.members, held.targetGroups = ordered(state), run.TargetGroups(state)
	held.expects(w.plan, stage, state, strategy)
	return nil
}

// interferenceOf asks what others do to a group and each of its instances.
func interferenceOf(group patch.Group, state patch.GroupState, policy patch.Policy) activities.ReadInterferenceInput {
	return activities.ReadInterferenceInput{
		Group: group, Instances: state.IDs(), Calendars: policy.Calendars, Alarms: run.Gates(policy.Health),
		Baseline: policy.Baseline, Restore: policy.Restore, Within: policy.Budget(state.TargetGroups).OnItsWay(),
	}
}

// policy is a stage's policy for this run of the wave.
func (w *wave) policy(ctx workflow.Context, stage int) patch.Policy {
	policy := patch.PolicyOf(w.plan, w.plan.Stages[stage])
	policy.Run, policy.Began = workflow.GetInfo(ctx).FirstRunID, workflow.GetInfo(ctx).WorkflowStartTime
	return policy
}

func ordered(state patch.GroupState) []string {
	var ids []string
	for _, member := range state.Order() {
		ids = append(ids, member.ID)
	}
	return ids
}

// prepare registers what patches and what is judged by, pins the runbook's version and hash, and scans. A scan that
// fails is told but does not refuse: each instance is scanned again before it is touched.
func (w *wave) prepare(ctx workflow.Context, held *lockedGroup) error {
	options := run.Acting(ctx, held.group, w.plan.Timing)
	runbook := activities.EnsureRunbookInput{Group: held.group}
	if err := workflow.ExecuteActivity(options, aws.EnsureRunbook, runbook).Get(ctx, &held.runbook); err != nil {
		return run.PreflightError(held.group, err)
	}
	var baseline activities.RegisteredBaseline
	if err := workflow.ExecuteActivity(options, aws.EnsureBaseline, activities.EnsureBaselineInput{
		Group: held.group, Baseline: w.plan.Baseline,
	}).Get(ctx, &baseline); err != nil {
		return run.PreflightError(held.group, err)
	}
	held.baselineID = baseline.BaselineID
	scans, err := scan.Instances(ctx, held.group, w.plan.Timing, held.members, held.baselineID,
		run.SnapshotID(w.status.WaveID, run.Age(ctx)),
		run.Attempt(w.status.WaveID, held.group.String(), "scan-fleet", 0))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		workflow.GetLogger(ctx).Warn("scan before the wave failed", "group", held.group.String(), "error", run.Reason(err))
	}
	held.count(scans)
	held.counts.Total = len(held.members)
	return nil
}
