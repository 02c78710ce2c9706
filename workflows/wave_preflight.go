package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// mostGroups keeps a wave's history, about thirty events a group, well under Temporal's 51,200: a wave never continues as
// new, since its groups are its children.
const mostGroups = 1000

// preflight reads every group and asks the pure decisions, before anything is changed anywhere; then it takes the locks,
// registers runbook and baseline, and scans.
func (w *wave) preflight(ctx workflow.Context) error {
	if open, why := w.plan.Window.Open(workflow.Now(ctx)); !open {
		return refused(&patch.Refusal{Code: patch.RefusedOutsideWindow, Where: w.plan.Name, What: why, WhatToDo: "start the wave inside the window"})
	}
	if refusal := tooManyGroups(w.plan); refusal != nil {
		return refused(refusal)
	}
	if err := w.mayThaw(ctx); err != nil {
		return err
	}
	for i, stage := range w.plan.Stages {
		for _, group := range stage.Groups {
			held := &heldGroup{group: group, stage: i, workflowID: names.GroupLock(group)}
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
		return refused(refusal)
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
	why := askFreeze(ctx, accounts...)
	if why == "" {
		return nil
	}
	return &patch.Refusal{
		Code: patch.RefusedFrozen, Where: plan.Name, What: why, WhatToDo: "ask who froze it; then `patchtide unfreeze`, and start the wave again",
	}
}

// examine reads a group, and refuses one that cannot be patched as the plan says. Its task must be picked up soon: an account's queue that
// nobody serves is a worker that does not know the account.
func (w *wave) examine(ctx workflow.Context, held *heldGroup) error {
	group, stage := held.group, w.plan.Stages[held.stage]
	state, err := inspectServed(reading(ctx, group, w.plan.Timing), group)
	if err != nil {
		return err
	}
	strategy, refusal := patch.PlanCapacity(group, state, stage)
	if refusal != nil {
		return refused(refusal)
	}
	for _, member := range state.Members {
		if refusal := patch.MayRestore(group, w.plan, member); refusal != nil {
			return refused(refusal)
		}
	}
	if err := w.look(ctx, group, state, held.stage); err != nil {
		return err
	}
	held.members, held.targetGroups = ordered(state), targetGroups(state)
	held.expects(w.plan, stage, state, strategy)
	return nil
}

// ErrQueueNotServed is the type of the error that no worker serves an account's queue.
const ErrQueueNotServed = "QueueNotServed"

// inspectServed reads a group, and names the queue when nobody serves it. ctx has the read's options.
func inspectServed(ctx workflow.Context, group patch.Group) (patch.GroupState, error) {
	options := workflow.GetActivityOptions(ctx)
	options.ScheduleToStartTimeout = unserved
	var state patch.GroupState
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), aws.InspectGroup, activities.InspectGroupInput{Group: group}).Get(ctx, &state)
	switch {
	case isUnserved(err):
		return state, temporal.NewNonRetryableApplicationError(fmt.Sprintf("%s: no worker serves the task queue %s; start one whose configuration has the account and region",
			group, names.ActivityQueue(group.Account, group.Region)), ErrQueueNotServed, err)
	case err != nil:
		return state, preflightError(group, err)
	}
	return state, nil
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
func (w *wave) prepare(ctx workflow.Context, held *heldGroup) error {
	options := acting(ctx, held.group, w.plan.Timing)
	if err := workflow.ExecuteActivity(options, aws.EnsureRunbook, activities.EnsureRunbookInput{Group: held.group}).Get(ctx, &held.runbook); err != nil {
		return preflightError(held.group, err)
	}
	var baseline activities.RegisteredBaseline
	if err := workflow.ExecuteActivity(options, aws.EnsureBaseline, activities.EnsureBaselineInput{Group: held.group, Baseline: w.plan.Baseline}).Get(ctx, &baseline); err != nil {
		return preflightError(held.group, err)
	}
	held.baselineID = baseline.BaselineID
	scans, problem := scanGroup(ctx, held.group, w.plan, w.status.WaveID)
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

// count takes what is missing in a group from its scans.
func (h *heldGroup) count(scans []patch.Scan) {
	h.missing, h.compliant = 0, 0
	for _, scan := range scans {
		h.missing += len(scan.Missing)
		if scan.Compliant() {
			h.compliant++
		}
	}
}

func (w *wave) byGroup(group patch.Group) *heldGroup {
	for _, held := range w.groups {
		if held.group.String() == group.String() {
			return held
		}
	}
	return nil
}

// refused makes an answer of a pure decision an error that ends the wave before anything was changed.
func refused(refusal *patch.Refusal) error {
	return temporal.NewNonRetryableApplicationError(refusal.Error(), string(refusal.Code), nil)
}

// preflightError names the group whose account or region refused.
func preflightError(group patch.Group, err error) error {
	if temporal.IsCanceledError(err) {
		return err
	}
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf("%s: %s; nothing was changed", group, reason(err)), errorType(err), nil)
}
