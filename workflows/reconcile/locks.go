package reconcile

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/service"
)

// giveUpInTime tells a child that puts something back to stop trying what has taken longer than every wait of it
// together.
func giveUpInTime(ctx workflow.Context, future workflow.ChildWorkflowFuture, timing patch.Timing) {
	clean, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	for over := false; !over; {
		timer := workflow.NewTimerWithOptions(
			clean, longestHeal(timing), workflow.TimerOptions{Summary: "until it gives up on one thing"},
		)
		workflow.NewSelector(clean).
			AddFuture(future, func(workflow.Future) { over = true }).
			AddFuture(timer, func(workflow.Future) {
				// One that has just ended needs to be told nothing.
				_ = future.SignalChildWorkflow(clean, names.SignalGroupOrder, group.Order{Kind: group.OrderGiveUp}).Get(clean, nil)
			}).Select(clean)
	}
}

// endUnderLocks ends a quarantine through a child that holds the group's lock, which holds the instance's. A release
// holds the locks of the services as well. What is locked is an outcome Quarantined with the reason.
func endUnderLocks(
	ctx workflow.Context, waveID string, ending instance.QuarantineEnd,
) (*patch.InstanceResult, []patch.Stranded, error) {
	record := ending.Record
	lock := names.GroupLock(record.Group)
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: lock, TaskQueue: names.TaskQueue, ParentClosePolicy: run.ParentClose, WaitForCancellation: true,
		StaticSummary: string(ending.Verb) + " " + record.Instance + " from quarantine",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(record.WaveID),
		),
	})
	services, refused, err := holdServices(ctx, waveID, ending)
	if err != nil || refused != nil {
		return refused, nil, err
	}
	atRest := false
	defer func() { services.Release(ctx, atRest) }()
	future := workflow.ExecuteChildWorkflow(child, group.ReleaseGroup, group.ReleaseInput{
		WaveID: waveID, Group: record.Group, Policy: record.Policy, End: ending,
	})
	giveUpInTime(ctx, future, record.Policy.Timing)
	var result patch.GroupResult
	err = future.Get(ctx, &result)
	atRest = err == nil || temporal.IsWorkflowExecutionAlreadyStartedError(err)
	switch {
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		return stillLocked(record.Instance, "its group", lock), nil, nil
	case err != nil:
		return nil, nil, err
	case len(result.Instances) != 1:
		return nil, result.Stranded, temporal.NewNonRetryableApplicationError(
			lock+" ended without a result for "+record.Instance, activities.ErrInvalidInput, nil,
		)
	}
	return &result.Instances[0], result.Stranded, nil
}

// stillLocked is the outcome of an instance that stays in quarantine since somebody works on what it belongs to.
func stillLocked(id, what, lock string) *patch.InstanceResult {
	locked := patch.Untouched(id)
	locked.Outcome, locked.Reason = patch.Quarantined, "nothing was changed: "+what+
		" is locked by "+lock+"; wait for the wave that holds it"
	return &locked
}

// holdServices takes the locks of what the group serves together with others, since a release may let the instance go
// that was launched in the quarantined one's place. One that another holds is an outcome. Ending an instance takes none
// out.
func holdServices(
	ctx workflow.Context, waveID string, ending instance.QuarantineEnd,
) (service.Locks, *patch.InstanceResult, error) {
	if ending.Verb != patch.QuarantineRelease {
		return nil, nil, nil
	}
	var found activities.ServicesOfGroup
	if err := workflow.ExecuteActivity(
		run.Controlling(ctx, "which services it belongs to"), control.ServicesOf, activities.ServicesOfInput{
			Group: ending.Record.Group, TargetGroups: ending.Record.Before.State().Behind().All,
		}).Get(ctx, &found); err != nil {
		return nil, nil, err
	}
	var held service.Locks
	// A cancelled release puts back first: the locks end by release.
	clean, _ := workflow.NewDisconnectedContext(ctx)
	for _, name := range found.Names {
		id := names.ServiceLock(name)
		child := workflow.WithChildOptions(clean, workflow.ChildWorkflowOptions{
			WorkflowID: id, TaskQueue: names.TaskQueue, ParentClosePolicy: run.ParentClose, WaitForCancellation: true,
			StaticSummary: "holds " + name + " while " + ending.Record.Instance + " is released",
			TypedSearchAttributes: temporal.NewSearchAttributes(
				temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(waveID),
			),
		})
		future := workflow.ExecuteChildWorkflow(child, service.HoldService, service.Input{
			WaveID: waveID, Timing: ending.Record.Policy.Timing,
			Service: patch.Service{Name: name, Groups: []patch.Group{ending.Record.Group}},
		})
		if err := future.GetChildWorkflowExecution().Get(clean, nil); err != nil {
			held.Release(ctx, true)
			if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
				return nil, stillLocked(ending.Record.Instance, patch.Service{Name: name}.String(), id), nil
			}
			return nil, nil, err
		}
		held = append(held, future)
	}
	return held, nil, nil
}

// longestHeal bounds one instance's or group's healing: every wait of it, one after the other. Past it what cannot be
// put back is given up and told.
func longestHeal(t patch.Timing) time.Duration {
	return (t.Stop + t.Snapshot + 2*t.RestoreRoot + t.Agent + t.Drain + t.InService + t.HealthBudget + t.ActBudget).D()
}
