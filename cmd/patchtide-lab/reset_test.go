package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/patch"
)

// resetPoints are the workflow tasks, of those completed, to which a workflow is reset.
var resetPoints = map[string]func(completed []int64) int64{
	"to where it was":  func(completed []int64) int64 { return completed[len(completed)-1] },
	"to its beginning": func(completed []int64) int64 { return completed[0] },
}

// TestAResetWave resets waves in Temporal while an instance of production is under way: to where they were, and to
// their beginning. Their groups stop between two instances and free their locks, the run in their place ends at once,
// and what was patched is rolled back from the evidence.
func TestAResetWave(t *testing.T) {
	t.Parallel()
	for name, point := range resetPoints {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newCrashScene(t, ofFive(t))
			const waveID = "wave-web-reset"
			require.NoError(t, b.startWorker())
			b.drive(waveID)
			b.eventually(func() bool { return effects(b.aws.Events(), "EnterStandby") > 0 }, "an instance is under way")
			b.reset(waveID, point)
			const stagingLock = "patch-group/222233334444/ap-northeast-1/Role=web"
			for _, lock := range []string{productionLock, stagingLock, "patch-service/web"} {
				b.closedAt(lock)
			}
			require.LessOrEqual(t, effects(b.aws.Events(), "EnterStandby"), 2, "instances were begun with nobody in control")
			b.eventually(func() bool {
				description, err := b.client.DescribeWorkflowExecution(t.Context(), waveID, "")
				return err == nil &&
					description.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_FAILED
			}, "the run in its place ends")
			patched := effects(b.aws.Events(), "StartAutomationExecution")
			code, stdout := b.operator("wave", "roll-back", waveID, "--reason", "it was reset", "--watch", "--json")
			var status patch.WaveStatus
			require.NoError(t, json.Unmarshal([]byte(stdout), &status), stdout)
			require.Equal(t, exitDone, code, stdout)
			require.Equal(t, patch.RolledBack, status.Outcome)
			require.Equal(t, patched, effects(b.aws.Events(), "CreateReplaceRootVolumeTask"), "all that it patched")
			require.NoError(t, b.stopWorker())
			require.Empty(t, b.violations())
		})
	}
}

// reset resets a workflow as the Temporal UI would, to one of its completed workflow tasks.
func (b *crashScene) reset(id string, point func(completed []int64) int64) {
	b.t.Helper()
	description, err := b.client.DescribeWorkflowExecution(b.t.Context(), id, "")
	require.NoError(b.t, err)
	run := description.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	events := b.client.GetWorkflowHistory(b.t.Context(), id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var completed []int64
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(b.t, err)
		if event.GetEventType() == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			completed = append(completed, event.GetEventId())
		}
	}
	_, err = b.client.ResetWorkflowExecution(b.t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace:                 lab.Namespace,
		WorkflowExecution:         &commonpb.WorkflowExecution{WorkflowId: id, RunId: run},
		Reason:                    "a test of what that leaves",
		WorkflowTaskFinishEventId: point(completed),
		RequestId:                 id,
	})
	require.NoError(b.t, err)
}

// TestAResetChild resets a wave's group, or an instance of it, while that is under way. Temporal has it begin again
// from there, and its parent waits for the run in its place: what the forgotten run did is found and not done twice,
// and what it left is put back before the instance is begun anew.
func TestAResetChild(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of    func(*crashScene) string
		point string
	}{
		"the group":    {func(*crashScene) string { return productionLock }, "to where it was"},
		"the instance": {(*crashScene).instanceUnderWay, "to its beginning"},
	} {
		t.Run(name+" "+c.point, func(t *testing.T) {
			t.Parallel()
			b := newCrashScene(t, ofFive(t))
			const waveID = "wave-web-reset"
			require.NoError(t, b.startWorker())
			closed := b.drive(waveID)
			b.eventually(func() bool { return effects(b.aws.Events(), "EnterStandby") > 0 }, "an instance is under way")
			b.reset(c.of(b), resetPoints[c.point])
			require.NoError(t, <-closed)
			require.NoError(t, b.stopWorker())
			require.Empty(t, b.violations())
		})
	}
}

// instanceUnderWay is the workflow id of the instance that is under way.
func (b *crashScene) instanceUnderWay() string {
	b.t.Helper()
	out, err := b.client.ListWorkflow(b.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: lab.Namespace, Query: "WorkflowType='PatchInstance' AND ExecutionStatus='Running'",
	})
	require.NoError(b.t, err)
	require.Len(b.t, out.GetExecutions(), 1)
	return out.GetExecutions()[0].GetExecution().GetWorkflowId()
}
