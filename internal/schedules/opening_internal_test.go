package schedules

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// opened is a workflow OpenWindow as Temporal tells of it.
type opened struct {
	client.WorkflowRun
	running bool
	wave    string // that it waits for
	gone    error  // Temporal's answer where it does not know the workflow
	result  workflows.WindowOpened
	err     error
}

func (o opened) DescribeWorkflowExecution(
	context.Context, string, string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	described := &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED},
	}
	if o.running {
		described.WorkflowExecutionInfo.Status = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	}
	if o.wave != "" {
		described.PendingChildren = []*workflowpb.PendingChildExecutionInfo{
			{WorkflowId: "patchtide-notice/x", WorkflowTypeName: names.Notify},
			{WorkflowId: o.wave, WorkflowTypeName: names.PatchWave},
		}
	}
	return described, o.gone
}

func (o opened) GetWorkflow(context.Context, string, string) client.WorkflowRun { return o }

func (o opened) Get(_ context.Context, into any) error {
	*into.(*workflows.WindowOpened) = o.result
	return o.err
}

func TestTheLastOpeningSaysWhatCameOfIt(t *testing.T) {
	at := time.Date(2026, 11, 28, 17, 0, 0, 0, time.UTC)
	action := func(at time.Time, id string) client.ScheduleActionResult {
		return client.ScheduleActionResult{
			ScheduleTime: at, StartWorkflowResult: &client.ScheduleWorkflowExecution{WorkflowID: id, FirstExecutionRunID: "run"},
		}
	}
	const wave = "wave-web-20261128-170000"
	for _, c := range []struct {
		name    string
		opened  opened
		outcome OpeningOutcome
		wave    string
		says    string
	}{
		{
			"its wave runs",
			opened{running: true, wave: wave},
			WaveStarted, wave,
			"started the wave " + wave + ", which has not ended",
		},
		{
			"no worker has taken it",
			opened{running: true},
			NotYet, "",
			"nothing has come of it yet: its workflow waits, as a rule for a worker (`patchtide doctor`)",
		},
		{
			"its wave has ended", opened{result: workflows.WindowOpened{
				Started: true, WaveID: wave, Outcome: patch.Succeeded,
			}}, WaveStarted, wave, "started the wave " + wave + ": succeeded",
		},
		{
			"it is one with a window that was open",
			opened{result: workflows.WindowOpened{WaveID: wave, Joins: true, Why: "it is one with the window of 17:00"}},
			Joined, wave, "it is one with the window of 17:00",
		},
		{
			"its wave was refused",
			opened{result: workflows.WindowOpened{WaveID: wave, Why: "GroupLocked: by wave-1"}},
			NoWave, wave, "started no wave: GroupLocked: by wave-1",
		},
		{
			"the worker knows no window of the plan", opened{result: workflows.WindowOpened{
				Why: "the plan has no window any more",
			}}, NoWave, "", "started no wave: the plan has no window any more",
		},
		{
			"the worker knows no such plan",
			opened{err: temporal.NewNonRetryableApplicationError(`there is no plan "web"`, "InvalidInput", nil)},
			NoWave, "", `started no wave: there is no plan "web"`,
		},
		{
			"somebody cancelled it",
			opened{err: temporal.NewCanceledError()},
			NoWave, "",
			"started no wave: somebody cancelled its workflow",
		},
		{
			"its workflow is kept no longer",
			opened{gone: serviceerror.NewNotFound("gone")},
			NotKept, "",
			"Temporal no longer keeps what came of it",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := &client.ScheduleDescription{Info: client.ScheduleInfo{RecentActions: []client.ScheduleActionResult{
				action(at.Add(-7*24*time.Hour), "before"), action(at, "open-window-web-2026-11-28T17:00:00Z"),
			}}}
			opening, err := lastOpening(t.Context(), c.opened, found)
			require.NoError(t, err)
			require.Equal(t, &Opening{
				At: at, Workflow: "open-window-web-2026-11-28T17:00:00Z", Outcome: c.outcome, WaveID: c.wave, Says: c.says,
			}, opening)
		})
	}
	none, err := lastOpening(t.Context(), opened{}, &client.ScheduleDescription{})
	require.NoError(t, err)
	require.Nil(t, none, "it has not opened yet")
}

// An opening that was missed is none of the next, and no disagreement about time zones.
func TestWhatWasMissedIsNotNext(t *testing.T) {
	now := time.Date(2026, 12, 1, 6, 27, 0, 0, time.UTC)
	missed, next := now.Add(-4*time.Minute), now.Add(24*time.Hour)
	require.Equal(t, []time.Time{next}, ahead([]time.Time{missed, next}, now))
	require.Empty(t, ahead([]time.Time{missed}, now))
}
