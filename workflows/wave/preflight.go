package wave

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/scan"
)

// mostGroups keeps a wave's history, about thirty events a group, well under Temporal's 51,200: a wave never continues as
// new, since its groups are its children.
const mostGroups = 1000

// preflight reads every group and asks the pure decisions, before anything is changed anywhere; then it takes the locks,
// registers runbook and baseline, and scans.
func (w *wave) preflight(ctx workflow.Context) error {
	if open, why := w.plan.Window.Open(workflow.Now(ctx)); !open {
		return run.Refused(&patch.Refusal{Code: patch.RefusedOutsideWindow, Where: w.plan.Name, What: why, WhatToDo: "start the wave inside the window"})
	}
	if refusal := tooManyGroups(w.plan); refusal != nil {
		return run.Refused(refusal)
	}
	if err := w.mayThaw(ctx); err != nil {
		return err
	}
	for i, stage := range w.plan.Stages {
		for _, group := range stage.Groups {
			held := &lockedGroup{group: group, stage: i, workflowID: names.GroupLock(group)}
			if err := w.examine(ctx, held); err != nil {
				return err
			}
			w.groups = append(w.groups, held)
		}
	}
	if err := w.lock(ctx); err != nil {
		return err
	}
	for _, held := range w.groups {
		if err := w.prepare(ctx, held); err != nil {
			return err
		}
	}
	return nil
}

// tooManyGroups refuses a plan that a wave's history cannot hold.
func tooManyGroups(plan patch.Plan) *patch.Refusal {
	groups := len(plan.Groups())
	if groups <= mostGroups {
		return nil
	}
	return &patch.Refusal{
		Code: patch.RefusedTooMany, Where: plan.Name, What: fmt.Sprintf("it has %d groups and a wave's history holds %d", groups, mostGroups),
		WhatToDo: "split the plan",
	}
}

// mayThaw refuses a wave while one of its accounts is frozen.
func (w *wave) mayThaw(ctx workflow.Context) error {
	if refusal := frozenPlan(ctx, w.plan); refusal != nil {
		return run.Refused(refusal)
	}
	return ctx.Err()
}

// frozenPlan asks whether one of a plan's accounts is frozen; nil when none is.
func frozenPlan(ctx workflow.Context, plan patch.Plan) *patch.Refusal {
	var accounts []string
	for _, group := range plan.Groups() {
		if !slices.Contains(accounts, group.Account.Name) {
			accounts = append(accounts, group.Account.Name)
		}
	}
	why := freeze.Ask(ctx, accounts...)
	if why == "" {
		return nil
	}
	return &patch.Refusal{
		Code: patch.RefusedFrozen, Where: plan.Name, What: why, WhatToDo: "ask who froze it; then `patchtide unfreeze`, and start the wave again",
	}
}

// examine reads a group, and refuses one that cannot be patched as the plan says. Its task must be picked up soon: an account's queue that
// nobody serves is a worker that does not know the account.
func (w *wave) examine(ctx workflow.Context, held *lockedGroup) error {
	group, stage := held.group, w.plan.Stages[held.stage]
	state, err := run.InspectServed(run.Reading(ctx, group, w.plan.Timing), group)
	if err != nil {
		return err
	}
	strategy, refusal := patch.PlanCapacity(group, state, stage)
	if refusal != nil {
		return run.Refused(refusal)
	}
	for _, member := range state.Members {
		if refusal := patch.MayRestore(group, w.plan, member); refusal != nil {
			return run.Refused(refusal)
		}
	}
	if err := w.look(ctx, group, state, held.stage); err != nil {
		return err
	}
	held.members, held.targetGroups = ordered(state), run.TargetGroups(state)
	held.expects(w.plan, stage, state, strategy)
	return nil
}

// policy is a stage's policy for this run of the wave.
func (w *wave) policy(ctx workflow.Context, stage int) patch.Policy {
	policy := patch.PolicyOf(w.plan, w.plan.Stages[stage])
	policy.Run = workflow.GetInfo(ctx).FirstRunID
	return policy
}

func ordered(state patch.GroupState) []string {
	var ids []string
	for _, member := range state.Order() {
		ids = append(ids, member.ID)
	}
	return ids
}

// prepare registers what patches and what is judged by, pins the runbook's version and hash, and scans. A scan that fails
// is told but does not refuse: each instance is scanned again before it is touched.
func (w *wave) prepare(ctx workflow.Context, held *lockedGroup) error {
	options := run.Acting(ctx, held.group, w.plan.Timing)
	if err := workflow.ExecuteActivity(options, aws.EnsureRunbook, activities.EnsureRunbookInput{Group: held.group}).Get(ctx, &held.runbook); err != nil {
		return run.PreflightError(held.group, err)
	}
	var baseline activities.RegisteredBaseline
	if err := workflow.ExecuteActivity(options, aws.EnsureBaseline, activities.EnsureBaselineInput{Group: held.group, Baseline: w.plan.Baseline}).Get(ctx, &baseline); err != nil {
		return run.PreflightError(held.group, err)
	}
	held.baselineID = baseline.BaselineID
	scans, problem := scan.Group(ctx, held.group, w.plan, w.status.WaveID)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if problem != "" {
		workflow.GetLogger(ctx).Warn("scan before the wave failed", "group", held.group.String(), "error", problem)
	}
	held.count(scans)
	held.counts.Total = len(scans)
	return nil
}
