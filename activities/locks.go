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

// describe asks for a run of a workflow, or the newest with that id; nil when there is none any more.
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
