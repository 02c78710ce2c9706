package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-shellwords"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/patch"
)

// TestAPausedActivity pauses what an instance waits for while it is out of service, as Temporal's own button does: who
// looks at the wave is told by whom and why, and by which command it goes on, and it goes on by that. No budget ends
// what is paused; one that was over meanwhile ends it then, and the instance is put back.
func TestAPausedActivity(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outlast  bool          // its budget
		wave     patch.Outcome // of the wave
		instance patch.Outcome // of the one that waited
	}{
		"goes on in time":     {false, patch.Succeeded, patch.Patched},
		"outlasts its budget": {true, patch.RolledBack, patch.RolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := product()
			require.NoError(t, err)
			b := newCrashScene(t, "healthy")
			require.NoError(t, b.startWorker())
			const waveID = "wave-web-paused-activity"
			closed := b.drive(waveID)
			instance, paused := b.pause("AwaitInstall")

			code, shown := b.operator("wave", "show", waveID)
			require.Equal(t, exitDone, code, shown)
			shown = strings.Join(strings.Fields(shown), " ")
			require.Contains(t, shown, "await install, attempt")
			require.Contains(t, shown, "it is paused in Temporal by ann@desk: is it stuck?; it goes on by `temporal activity")
			undos, err := activities.NewPendings(b.client).Pending(
				t.Context(), activities.ReadPendingInput{WorkflowID: instance, Activity: "AwaitInstall"},
			)
			require.NoError(t, err)
			require.Contains(t, undos.Failure, "paused in Temporal by ann@desk", "an undo's watch tells it, too")
			require.False(t, undos.Waits, "and not as a wait that goes on")
			if c.outlast {
				b.eventually(func() bool { return time.Since(paused.GetExpirationTime().AsTime()) > time.Second }, "time passes")
				require.NotNil(t, b.pausedIn(instance, "AwaitInstall"), "no budget ends what is paused")
			}
			b.goesOnBy(shown)
			require.NoError(t, <-closed)
			var result patch.WaveResult
			require.NoError(t, b.client.GetWorkflow(t.Context(), waveID, "").Get(t.Context(), &result))
			require.Equal(t, c.wave, result.Outcome, result.Reason)
			for _, stage := range result.Stages {
				for _, one := range stage.Groups[0].Instances {
					if strings.HasSuffix(instance, one.ID) {
						require.Equal(t, c.instance, one.Outcome, one.Reason)
					}
				}
			}
			require.NoError(t, b.stopWorker())
			require.Empty(t, b.violations())
		})
	}
}

// pause pauses the next such activity of an instance by Temporal's API, and returns whose it is once no attempt of it
// is under way. One that ends before is let go.
func (b *crashScene) pause(activity string) (instance string, paused *workflowpb.PendingActivityInfo) {
	b.t.Helper()
	b.eventually(func() bool {
		under, err := b.client.ListWorkflow(b.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: lab.Namespace, Query: "WorkflowType='PatchInstance' AND ExecutionStatus='Running'",
		})
		if err != nil {
			return false
		}
		for _, one := range under.GetExecutions() {
			instance = one.GetExecution().GetWorkflowId()
			_, _ = b.client.WorkflowService().PauseActivity(b.t.Context(), &workflowservice.PauseActivityRequest{
				Namespace: lab.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: instance},
				Activity: &workflowservice.PauseActivityRequest_Type{Type: activity},
				Identity: "ann@desk", Reason: "is it stuck?",
			}) // not found, or paused already
			if paused = b.pausedIn(instance, activity); paused != nil {
				return true
			}
		}
		return false
	}, activity+" is paused")
	return instance, paused
}

// pausedIn is a workflow's activity of that type, if it is paused and no attempt is under way.
func (b *crashScene) pausedIn(workflowID, activity string) *workflowpb.PendingActivityInfo {
	b.t.Helper()
	described, err := b.client.DescribeWorkflowExecution(b.t.Context(), workflowID, "")
	if err != nil {
		return nil
	}
	for _, one := range described.GetPendingActivities() {
		if one.GetActivityType().GetName() == activity && one.GetState() == enums.PENDING_ACTIVITY_STATE_PAUSED {
			return one
		}
	}
	return nil
}

// unpause is the command by which something paused goes on, as people are told it.
var unpause = regexp.MustCompile("`temporal (activity unpause [^`]+)`")

// goesOnBy does what the command does that people were told.
func (b *crashScene) goesOnBy(told string) {
	b.t.Helper()
	command := unpause.FindStringSubmatch(told)
	require.NotNil(b.t, command, told)
	words, err := shellwords.Parse(command[1])
	require.NoError(b.t, err)
	require.Len(b.t, words, 6)
	require.Equal(b.t, []string{"--workflow-id", "--activity-id"}, []string{words[2], words[4]})
	_, err = b.client.WorkflowService().UnpauseActivity(b.t.Context(), &workflowservice.UnpauseActivityRequest{
		Namespace: lab.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: words[3]},
		Activity: &workflowservice.UnpauseActivityRequest_Id{Id: words[5]},
	})
	require.NoError(b.t, err)
}
