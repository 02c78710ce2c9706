package main

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

// unattended is a Temporal whose queue nobody polls.
type unattended struct{ client.Client }

func (unattended) DescribeTaskQueue(
	context.Context, string, enums.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	return &workflowservice.DescribeTaskQueueResponse{}, nil
}

func (unattended) NewWithStartWorkflowOperation(
	client.StartWorkflowOptions, any, ...any,
) client.WithStartWorkflowOperation {
	return nil
}

func (unattended) UpdateWithStartWorkflow(
	ctx context.Context, _ client.UpdateWithStartWorkflowOptions,
) (client.WorkflowUpdateHandle, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Who freezes and is heard by nobody is told so within seconds, and at the end what that means.
func TestAFreezeThatNoWorkerHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cmd := &cobra.Command{}
		var said bytes.Buffer
		cmd.SetErr(&said)
		cmd.SetContext(t.Context())
		begun := time.Now()
		err := sendFreeze(cmd, unattended{}, names.UpdateFreeze, workflows.FreezeRequest{Actor: "ann", Reason: "an incident"})
		require.ErrorContains(t, err, "no worker answered, so that nobody knows whether freeze was heard")
		require.Equal(t, noWorker+"\n", said.String())
		require.Equal(t, patience, time.Since(begun))
	})
}
