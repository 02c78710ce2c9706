package activities_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// catalogue is Temporal's list, a workflow a page.
type catalogue struct {
	open, closed []*workflow.WorkflowExecutionInfo
	asked        []string
	err          error
}

func (c *catalogue) ListWorkflow(
	_ context.Context, request *workflowservice.ListWorkflowExecutionsRequest,
) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	c.asked = append(c.asked, request.GetQuery())
	list, at := c.closed, len(request.GetNextPageToken())
	if len(c.asked) <= len(c.open) || len(c.asked) == 1 {
		list = c.open
	}
	page := &workflowservice.ListWorkflowExecutionsResponse{}
	if at < len(list) {
		page.Executions = list[at : at+1]
	}
	if at+1 < len(list) {
		page.NextPageToken = make([]byte, at+1)
	}
	return page, c.err
}

// A plan's last wave is the one that closed last; what never began, and what goes on under another run, is none.
func TestTheWavesOfAPlan(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	info := func(
		id string, status enums.WorkflowExecutionStatus, closed time.Duration, state patch.WaveState, outcome patch.Outcome,
	) *workflow.WorkflowExecutionInfo {
		fields := map[string]*common.Payload{}
		for name, value := range map[string]string{
			names.AttributeState: string(state), names.AttributeOutcome: string(outcome),
		} {
			payload, err := converter.GetDefaultDataConverter().ToPayload(value)
			require.NoError(t, err)
			fields[name] = payload
		}
		return &workflow.WorkflowExecutionInfo{
			Execution: &common.WorkflowExecution{WorkflowId: id}, Status: status, CloseTime: timestamppb.New(at.Add(closed)),
			SearchAttributes: &common.SearchAttributes{IndexedFields: fields},
		}
	}
	const (
		completed  = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
		terminated = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
		goesOn     = enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
		running    = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
		canceled   = enums.WORKFLOW_EXECUTION_STATUS_CANCELED
	)
	well := info("well", completed, 0, patch.StateClosed, patch.Succeeded)
	for _, c := range []struct {
		name    string
		open    []*workflow.WorkflowExecutionInfo
		closed  []*workflow.WorkflowExecutionInfo
		ids     []string
		last    string
		outcome patch.Outcome
	}{
		{name: "none"},
		{name: "one that succeeded", closed: []*workflow.WorkflowExecutionInfo{well}, last: "well", outcome: patch.Succeeded},
		{
			name: "the last to close counts, however they are listed", last: "bad", outcome: patch.Failed,
			closed: []*workflow.WorkflowExecutionInfo{well, info("bad", completed, time.Hour, patch.StateClosed, patch.Failed)},
		},
		{
			name: "what never began does not", last: "well", outcome: patch.Succeeded,
			closed: []*workflow.WorkflowExecutionInfo{
				info("misspelt", completed, time.Hour, patch.StateResolving, patch.Failed), well,
				info("another run", goesOn, time.Hour, patch.StateRunning, ""),
			},
		},
		{
			name: "one that was terminated", last: "ended", outcome: "Terminated",
			closed: []*workflow.WorkflowExecutionInfo{well, info("ended", terminated, time.Hour, patch.StateRunning, "")},
		},
		{
			name: "one that was cancelled tells its outcome", last: "ended", outcome: patch.Aborted,
			closed: []*workflow.WorkflowExecutionInfo{
				info("ended", canceled, time.Hour, patch.StateClosed, patch.Aborted), well,
			},
		},
		{
			name: "several run", ids: []string{"a", "b"},
			open: []*workflow.WorkflowExecutionInfo{
				info("b", running, 0, patch.StateRunning, ""), info("a", running, 0, patch.StateParked, ""),
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := &catalogue{open: c.open, closed: c.closed}
			control := &activities.Control{Waves: activities.NewWaves(list)}
			seen, err := control.ReadPlanWaves(t.Context(), activities.ReadPlanWavesInput{Plan: "db", Since: at})
			require.NoError(t, err)
			require.Equal(t, c.ids, seen.Open)
			if c.last == "" {
				require.Nil(t, seen.Last)
			} else {
				require.Equal(t, c.last, seen.Last.ID)
				require.Equal(t, c.outcome, seen.Last.Outcome)
			}
			of := "PatchtidePlan = 'db' AND WorkflowType IN ('PatchWave', 'RollBackWave') AND "
			require.Equal(t, of+"ExecutionStatus = 'Running'", list.asked[0])
			require.Equal(t, of+"CloseTime >= '2026-11-22T02:00:00Z'", list.asked[len(list.asked)-1])
		})
	}
	control := &activities.Control{Waves: activities.NewWaves(&catalogue{err: errors.New("away")})}
	_, err := control.ReadPlanWaves(t.Context(), activities.ReadPlanWavesInput{Plan: "db", Since: at})
	requireType(t, err, activities.ErrLockUnknown)
}
