package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// settleUnderLocks ends a quarantine through a child that holds the group's lock, which holds the instance's. A release holds the
// locks of the services as well. What is locked is an outcome Quarantined with the reason.
func settleUnderLocks(ctx workflow.Context, waveID string, settle Settle) (*patch.InstanceResult, []patch.Stranded, error) {
	record := settle.Record
	lock := names.GroupLock(record.Group)
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: lock, TaskQueue: names.TaskQueue, ParentClosePolicy: parentClose, WaitForCancellation: true,
		StaticSummary: string(settle.Verb) + " " + record.Instance + " from quarantine",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(record.WaveID),
		),
	})
	services, refused, err := holdServices(ctx, waveID, settle)
	if err != nil || refused != nil {
		return refused, nil, err
	}
	atRest := false
	defer func() { services.release(ctx, atRest) }()
	future := workflow.ExecuteChildWorkflow(child, PatchGroup, GroupInput{WaveID: waveID, Group: record.Group, Policy: record.Policy, Settle: &settle})
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
		return nil, result.Stranded, temporal.NewNonRetryableApplicationError(lock+" ended without a result for "+record.Instance, activities.ErrInvalidInput, nil)
	}
	return &result.Instances[0], result.Stranded, nil
}

// stillLocked is the outcome of an instance that stays in quarantine since somebody works on what it belongs to.
func stillLocked(id, what, lock string) *patch.InstanceResult {
	locked := notStarted(id)
	locked.Outcome, locked.Reason = patch.Quarantined, "nothing was changed: "+what+" is locked by "+lock+"; wait for the wave that holds it"
	return &locked
}

// serviceLocks are the locks of services that a wave, or a release, holds.
type serviceLocks []workflow.ChildWorkflowFuture

// holdServices takes the locks of what the group serves together with others, since a release may let the instance go that was
// launched in the quarantined one's place. One that another holds is an outcome. Ending an instance takes none out.
func holdServices(ctx workflow.Context, waveID string, settle Settle) (serviceLocks, *patch.InstanceResult, error) {
	if settle.Verb != patch.QuarantineRelease {
		return nil, nil, nil
	}
	var found activities.ServicesOfGroup
	if err := workflow.ExecuteActivity(controlling(ctx, "which services it belongs to"), control.ServicesOf, activities.ServicesOfInput{
		Group: settle.Record.Group, TargetGroups: targetGroups(settle.Record.Before.State()),
	}).Get(ctx, &found); err != nil {
		return nil, nil, err
	}
	var held serviceLocks
	// A cancelled release puts back first: the locks end by release.
	clean, _ := workflow.NewDisconnectedContext(ctx)
	for _, name := range found.Names {
		id := names.ServiceLock(name)
		child := workflow.WithChildOptions(clean, workflow.ChildWorkflowOptions{
			WorkflowID: id, TaskQueue: names.TaskQueue, ParentClosePolicy: parentClose, WaitForCancellation: true,
			StaticSummary: "holds " + name + " while " + settle.Record.Instance + " is released",
			TypedSearchAttributes: temporal.NewSearchAttributes(
				temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(waveID),
			),
		})
		future := workflow.ExecuteChildWorkflow(child, HoldService, ServiceInput{
			WaveID: waveID, Service: patch.Service{Name: name, Groups: []patch.Group{settle.Record.Group}},
		})
		if err := future.GetChildWorkflowExecution().Get(clean, nil); err != nil {
			held.release(ctx, true)
			if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
				return nil, stillLocked(settle.Record.Instance, "service "+name, id), nil
			}
			return nil, nil, err
		}
		held = append(held, future)
	}
	return held, nil, nil
}

// release frees the locks. Where a group ended without its word, instances of it may be under way still: the locks then end by
// themselves, and nobody need wait for them.
func (l serviceLocks) release(ctx workflow.Context, atRest bool) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	for _, held := range l {
		// One that is gone needs to be told nothing.
		_ = held.SignalChildWorkflow(clean, names.SignalRelease, ServiceRelease{AtRest: atRest}).Get(clean, nil)
	}
	for _, held := range l {
		if atRest {
			_ = held.Get(clean, nil) // however it ended: it is free
		}
	}
}
