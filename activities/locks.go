package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
)

// Describer is what locks use of Temporal's client.
type Describer interface {
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (
		*workflowservice.DescribeWorkflowExecutionResponse, error,
	)
}

// NewLocks answers who holds a lock by asking Temporal for the workflow whose id is the lock.
func NewLocks(client Describer) Locks { return temporalLocks{client} }

type temporalLocks struct{ client Describer }

// Holder is the workflow with that id and its parent, if it runs.
func (l temporalLocks) Holder(ctx context.Context, workflowID string) (*LockHolder, error) {
	info, err := l.describe(ctx, workflowID, "")
	if err != nil || info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil, err
	}
	holder := &LockHolder{WorkflowID: workflowID, Parent: info.GetParentExecution().GetWorkflowId()}
	if value := info.GetSearchAttributes().GetIndexedFields()[names.AttributeWave]; value != nil {
		// One that cannot be read is as good as none: it is then taken for anybody's.
		_ = converter.GetDefaultDataConverter().FromPayload(value, &holder.Wave)
	}
	return holder, nil
}

// Closed is when the newest workflow with that id ended.
func (l temporalLocks) Closed(ctx context.Context, workflowID string) (time.Time, error) {
	info, err := l.describe(ctx, workflowID, "")
	if err != nil || info.GetCloseTime() == nil {
		return time.Time{}, err
	}
	return info.GetCloseTime().AsTime(), nil
}

// Runs reports whether that very run goes on: another of the same id may, after a reset.
func (l temporalLocks) Runs(ctx context.Context, workflowID, runID string) (bool, error) {
	info, err := l.describe(ctx, workflowID, runID)
	return info.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING, err
}

// Ending asks for that very run, and for the newest one where it continued as new.
func (l temporalLocks) Ending(ctx context.Context, workflowID, runID string) (journal.Ending, error) {
	info, err := l.describe(ctx, workflowID, runID)
	if err != nil || info == nil {
		return journal.RunUnknown, err
	}
	if info.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW {
		first := info.GetFirstRunId()
		if info, err = l.describe(ctx, workflowID, ""); err != nil || info.GetFirstRunId() != first || first == "" {
			return journal.RunUnknown, err // another has had the id since
		}
	}
	switch info.GetStatus() {
	case enums.WORKFLOW_EXECUTION_STATUS_RUNNING, enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
		return journal.RunOpen, nil
	case enums.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return journal.RunCompleted, nil
	}
	return journal.RunBroken, nil
}

// describe asks for a run of the workflow with that id, "" for the newest; nil when there is none any more.
func (l temporalLocks) describe(
	ctx context.Context, workflowID, runID string,
) (*workflow.WorkflowExecutionInfo, error) {
	described, err := l.client.DescribeWorkflowExecution(ctx, workflowID, runID)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return nil, nil
	}
	return described.GetWorkflowExecutionInfo(), err
}
