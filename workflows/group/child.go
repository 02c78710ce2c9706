package group

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// child runs one of an instance's workflows, which share the instance's lock as their id, and makes a result of
// whatever comes of it.
func (g *group) child(ctx workflow.Context, summary string, of instance.Common, kind, in any) patch.InstanceResult {
	id, lock := of.Instance, names.InstanceLock(of.Group, of.Instance)
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: lock, TaskQueue: names.TaskQueue,
		ParentClosePolicy: run.ParentClose, WaitForCancellation: true,
		StaticSummary: summary,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(of.WaveID),
		),
	})
	if nowOf(g.status.Now, id) == nil {
		g.entersWay(ctx, id)
	}
	defer g.leftWay(ctx, id)
	var result patch.InstanceResult
	err := workflow.ExecuteChildWorkflow(child, kind, in).Get(child, &result)
	switch {
	case err == nil:
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		result = patch.Untouched(id)
		result.Outcome, result.Reason = patch.Failed, "locked: "+lock+" already runs; see who started it in the Temporal UI"
	case temporal.IsCanceledError(err):
		result = patch.Untouched(id)
		result.Reason = "cancelled before it began"
	default:
		// The child runs no code any more: it was terminated or has a defect. Say so; Reconcile heals what is left.
		result = patch.Untouched(id)
		result.Outcome, result.Reason = patch.Failed, "its workflow ended without a result: "+err.Error()
		result.Stranded = []patch.Stranded{{
			Account: g.in.Group.Account.Name, Region: g.in.Group.Region, Resource: "instance " + id,
			State: "unknown: its workflow ended without a result", WhatToDo: "look at " + lock +
				" in the Temporal UI and at the instance; the journal has the values before",
		}}
	}
	g.left[id] = g.left[id] || len(result.Stranded) > 0
	return result.Brief()
}

// entersWay shows one that is under way from now on.
func (g *group) entersWay(ctx workflow.Context, id string) {
	g.status.Current = append(g.status.Current, names.InstanceLock(g.in.Group, id))
	g.status.Now = append(g.status.Now, patch.InstanceNow{ID: id, Step: patch.StepPreflight, Since: workflow.Now(ctx)})
}

// leftWay forgets what one was doing that has ended.
func (g *group) leftWay(ctx workflow.Context, id string) {
	lock := names.InstanceLock(g.in.Group, id)
	g.status.Current = slices.DeleteFunc(g.status.Current, func(other string) bool { return other == lock })
	g.status.Now = slices.DeleteFunc(g.status.Now, func(now patch.InstanceNow) bool { return now.ID == id })
	g.status.Failing = slices.DeleteFunc(g.status.Failing, func(failing patch.FailingUndo) bool {
		return failing.Instance == id
	})
	if g.turns.holder == id || g.turns.out[id] { // what became of it its group does not know
		g.turns.numbers = workflow.Now(ctx)
	}
	g.endTurn(id)
	delete(g.turns.targets, id)
	delete(g.turns.out, id)
	if g.turns.room == id {
		g.turns.room = ""
	}
	g.ended++
	if len(g.status.Now) > 0 { // the others go on, and nothing else may be told of the group for long
		g.passNow(ctx)
	}
}
