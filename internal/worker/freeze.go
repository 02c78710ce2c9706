package worker

import (
	"context"
	"errors"
	"fmt"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

// keepFreezes starts the workflow that keeps the freezes, the first time a worker runs in a namespace. One that was
// there and has ended, by whomever, is not started anew: a freeze may have ended with it, so everything is frozen until
// a person says otherwise with `patchtide unfreeze`.
func keepFreezes(ctx context.Context, c client.Client) error {
	_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: names.FreezeID, TaskQueue: names.TaskQueue,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "who froze which accounts; never terminate it",
	}, names.Freeze, workflows.FreezeInput{})
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &ended) {
		return fmt.Errorf("start %s, which every wave asks: %w", names.FreezeID, err)
	}
	return nil
}
