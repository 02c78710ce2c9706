package activities

import (
	"context"
	"errors"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
)

// Describer is what locks use of Temporal's client.
type Describer interface {
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
}

// NewLocks answers who holds a lock by asking Temporal for the workflow whose id is the lock.
func NewLocks(client Describer) Locks { return temporalLocks{client} }

type temporalLocks struct{ client Describer }

// Holder is the workflow with that id and its parent, if it runs.
func (l temporalLocks) Holder(ctx context.Context, workflowID string) (*LockHolder, error) {
	described, err := l.client.DescribeWorkflowExecution(ctx, workflowID, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info := described.GetWorkflowExecutionInfo()
	if info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil, nil
	}
	return &LockHolder{WorkflowID: workflowID, Parent: info.GetParentExecution().GetWorkflowId()}, nil
}
