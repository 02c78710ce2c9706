package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/patch"
)

// closing is a wave that closes right after it was asked for the first time.
type closing struct {
	client.Client // what is not here is not asked
	asked         int
}

func (c *closing) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	status := patch.WaveStatus{WaveID: "wave-web-1", State: patch.StateRollingBack}
	if c.asked++; c.asked > 1 {
		status.State, status.Outcome = patch.StateClosed, patch.RolledBack
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(status)
	return client.NewValue(payloads), err
}

func (c *closing) DescribeWorkflowExecution(
	context.Context, string, string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflow.WorkflowExecutionInfo{CloseTime: timestamppb.Now()},
	}, nil
}

func (c *closing) GetWorkflow(context.Context, string, string) client.WorkflowRun { return endedWell{} }

type endedWell struct{ client.WorkflowRun }

func (endedWell) Get(context.Context, any) error { return nil }

// A wave that closes while it is looked at must not look like one that still rolls back: that would be exit code 0.
func TestALookKnowsHowAWaveEndedThatClosedMeanwhile(t *testing.T) {
	look := (&looker{temporal: &closing{}, wave: "wave-web-1"}).look(t.Context())
	require.NoError(t, look.Err)
	require.NoError(t, look.Failure)
	require.True(t, look.Closed)
	require.Equal(t, patch.RolledBack, look.Status.Outcome)
	var exit *exitError
	require.ErrorAs(t, exitOf(look.Status), &exit)
	require.Equal(t, exitFailed, exit.code)
}
