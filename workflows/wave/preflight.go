package wave

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/notice"
	"github.com/patchtide/patchtide/workflows/preflight"
)

// preflight reads every group and asks the table of checks, before anything is changed anywhere; then it takes the
// locks, registers runbook and baseline, and scans.
func (w *wave) preflight(ctx workflow.Context) error {
	if err := w.checkPlan(ctx); err != nil {
		return err
	}
	var groups []*lockedGroup
	for i, stage := range w.plan.Stages {
		for _, group := range stage.Groups {
			groups = append(groups, &lockedGroup{
				group: group, stage: i, gates: len(stage.Gates()), workflowID: names.GroupLock(group),
			})
		}
	}
	if err := w.examine(ctx, groups); err != nil {
		return err
	}
	w.roster.groups = groups
	if err := w.checkOnly(); err != nil {
		return err
	}
	if err := w.lock(ctx); err != nil {
		return err
	}
	if err := w.register(ctx); err != nil {
		return err
	}
	w.tellDrift(ctx)
	return w.scan(ctx, w.roster.groups, "scan-fleet")
}

// wholePlan is what is known of a plan before anything is read.
func wholePlan(plan patch.Plan) patch.View {
	return patch.View{Policy: patch.PolicyOf(plan, patch.Stage{}), Groups: len(plan.Groups()), Again: plan.AddedTurns()}
}

// checkPlan asks what stands against the plan as a whole.
func (w *wave) checkPlan(ctx workflow.Context) error {
	view := wholePlan(w.plan)
	if err := preflight.Refused(ctx, patch.LevelWave, view); err != nil {
		return err
	}
	frozen := freeze.Ask(ctx, nil, accountsOf(w.plan)...)
	view.Frozen, view.Lift = frozen.Why, frozen.Lift
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return preflight.Refused(ctx, patch.LevelWave, view)
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

// examine reads groups, and refuses one that cannot be patched as the plan says; the first in the plan's order.
func (w *wave) examine(ctx workflow.Context, groups []*lockedGroup) error {
	return inBatches(ctx, w, preflight.ExamineGroups, "reads", toScan(groups),
		func(batch []*lockedGroup) any {
			return preflight.ExamineInput{WaveID: w.status.WaveID, Plan: w.planOf(batch)}
		},
		func(held *lockedGroup, found preflight.Examined) {
			held.members, held.behind = found.Members, found.Behind
			held.each, held.from, held.launch, held.atOnce = found.Each, found.From, found.Launch, found.AtOnce
			w.leavesOut(found.Blocked)
			held.reach = patch.Reach{Taken: found.Members, Zones: found.Zones, LeftOut: found.LeftOut}
		})
}

// planOf is the plan with some of its groups only, in its order as they are.
func (w *wave) planOf(groups []*lockedGroup) patch.Plan {
	plan := w.plan
	plan.Stages = nil
	for i, stage := range w.plan.Stages {
		stage.Groups = nil
		for _, held := range groups {
			if held.stage == i {
				stage.Groups = append(stage.Groups, held.group)
				if held.step > 0 { // the next is no canary
					stage.Canary = nil
				}
			}
		}
		if len(stage.Groups) > 0 {
			plan.Stages = append(plan.Stages, stage)
		}
	}
	return plan
}

// policy is a group's policy in its stage, for this run of the wave.
func (w *wave) policy(ctx workflow.Context, stage int, of patch.Group) patch.Policy {
	policy := patch.PolicyOf(w.plan.Of(of), w.plan.Stages[stage])
	policy.Run, policy.Began = run.First(ctx), w.began
	return policy
}

// register registers what patches and what is judged by, and pins the runbook's version and hash.
func (w *wave) register(ctx workflow.Context) error {
	return inBatches(ctx, w, preflight.RegisterGroups, "registers runbook and baseline for", toScan(w.roster.groups),
		func(batch []*lockedGroup) any {
			return preflight.RegisterInput{
				WaveID: w.status.WaveID, Groups: plainly(batch), Baseline: w.plan.Baseline, Timing: w.plan.Timing,
			}
		},
		func(held *lockedGroup, done preflight.Registered) {
			held.runbook, held.baselineID, held.differed = done.Runbook, done.BaselineID, done.Differed
			held.counts.Total = len(held.members)
		})
}

// tellDrift tells people of baselines that somebody had changed: what was scanned and patched until now went by that.
func (w *wave) tellDrift(ctx workflow.Context) {
	var drifts notice.Drifts
	for _, held := range w.roster.groups {
		drifts.Add(held.group, w.plan.Of(held.group).Baseline, held.differed)
	}
	if len(drifts) > 0 {
		w.tell(ctx, patch.NoticeDrift, drifts.Fill)
	}
}

// scan counts what is missing. A scan that fails is told but does not refuse: each instance is scanned again before it
// is touched. step names the attempt.
func (w *wave) scan(ctx workflow.Context, groups []*lockedGroup, step string) error {
	return inBatches(ctx, w, preflight.ScanGroups, "scans", toScan(groups),
		func(batch []*lockedGroup) any {
			in := preflight.ScanInput{
				WaveID: w.status.WaveID, Timing: w.plan.Timing,
				SnapshotID: run.SnapshotID(w.status.WaveID, workflow.Now(ctx).Sub(w.began)),
			}
			for _, held := range batch {
				in.Groups = append(in.Groups, preflight.Scanning{
					Group: held.group, Members: held.members, BaselineID: held.baselineID,
					Attempt: run.Attempt(w.status.WaveID, held.group.String(), step, w.parking.rounds),
				})
			}
			return in
		},
		func(held *lockedGroup, found preflight.Scanned) {
			if found.Failed == "" {
				held.missing, held.compliant = found.Missing, found.Compliant
			}
		})
}
