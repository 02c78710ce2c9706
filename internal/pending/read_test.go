package pending_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/activity/v1"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/failure/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/pending"
)

const (
	wave     = "wave-web-1"
	group    = "patch-group/111122223333/r/web"
	instance = "patch-instance/111122223333/r/i-1"
)

var at = time.Date(2026, 11, 22, 2, 10, 0, 0, time.UTC)

func stamp(after time.Duration) *timestamppb.Timestamp { return timestamppb.New(at.Add(after)) }

// temporal is a Temporal by what it tells of each workflow.
type temporal struct {
	mu    sync.Mutex
	asked []string
	known map[string]*workflowservice.DescribeWorkflowExecutionResponse
	hangs bool // whatever is below the wave does not answer
}

func (t *temporal) DescribeWorkflowExecution(
	ctx context.Context, id, _ string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	t.mu.Lock()
	t.asked = append(t.asked, id)
	described, known := t.known[id]
	t.mu.Unlock()
	if t.hangs && id != wave {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if !known {
		return nil, errors.New("not found")
	}
	described.WorkflowExecutionInfo = &workflowpb.WorkflowExecutionInfo{
		Execution: &common.WorkflowExecution{WorkflowId: id},
	}
	return described, nil
}

func children(workflow string, ids ...string) *workflowservice.DescribeWorkflowExecutionResponse {
	described := &workflowservice.DescribeWorkflowExecutionResponse{}
	for i, id := range ids {
		described.PendingChildren = append(described.PendingChildren, &workflowpb.PendingChildExecutionInfo{
			WorkflowId: id, WorkflowTypeName: workflow, InitiatedId: int64(len(ids) - i),
		})
	}
	return described
}

func waiting(activities ...*workflowpb.PendingActivityInfo) *workflowservice.DescribeWorkflowExecutionResponse {
	return &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: activities}
}

func unhealthy() *workflowpb.PendingActivityInfo {
	return &workflowpb.PendingActivityInfo{
		ActivityType: &common.ActivityType{Name: "AwaitInService"}, Attempt: 36,
		State: enums.PENDING_ACTIVITY_STATE_SCHEDULED, ScheduledTime: stamp(time.Minute),
		NextAttemptScheduleTime: stamp(time.Minute), ExpirationTime: stamp(30 * time.Minute),
		ActivityOptions: &activity.ActivityOptions{ScheduleToCloseTimeout: durationpb.New(30 * time.Minute)},
		LastFailure: &failure.Failure{
			Message: "it is unhealthy in web\n(Target.FailedHealthChecks)\x1b]0;x\a",
			FailureInfo: &failure.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failure.ApplicationFailureInfo{
				Category: enums.APPLICATION_ERROR_CATEGORY_BENIGN,
			}},
		},
	}
}

// What is waited for below a wave, down to its instances, is read from Temporal alone.
func TestWhatAnInstanceWaitsForIsReadFromItsWave(t *testing.T) {
	all := children(names.PatchGroup, group)
	all.PendingChildren = append(all.PendingChildren, children(names.Notify, "patchtide-notice/1").PendingChildren...)
	guard := &workflowpb.PendingActivityInfo{ActivityType: &common.ActivityType{Name: pending.Guard}}
	asked := &temporal{known: map[string]*workflowservice.DescribeWorkflowExecutionResponse{
		wave: all, group: children(names.PatchInstance, instance), instance: waiting(guard, unhealthy()),
	}}
	waits, err := pending.Read(t.Context(), asked, wave)
	require.NoError(t, err)
	require.Equal(t, []patch.Wait{{
		WorkflowID: instance, Activity: "AwaitInService", Attempt: 36, Since: at, Polls: true, Next: at.Add(time.Minute),
		Failure: "it is unhealthy in web (Target.FailedHealthChecks)]0;x",
	}}, waits.On)
	require.Zero(t, waits.NotAsked)
	require.Equal(t, []string{wave, group, instance}, asked.asked, "a notice is not waited for")
	require.Equal(t, pending.Guard, activities.NameOf((*activities.Control).AwaitRunClosed))
}

func TestHowAnActivityStands(t *testing.T) {
	for name, c := range map[string]struct {
		told *workflowpb.PendingActivityInfo
		want patch.Wait
	}{
		"its first attempt is under way": {
			&workflowpb.PendingActivityInfo{State: enums.PENDING_ACTIVITY_STATE_STARTED, Attempt: 1, ScheduledTime: stamp(0)},
			patch.Wait{Attempt: 1, Since: at},
		},
		"no worker has taken it": {
			&workflowpb.PendingActivityInfo{State: enums.PENDING_ACTIVITY_STATE_SCHEDULED, Attempt: 1, ScheduledTime: stamp(0)},
			patch.Wait{Attempt: 1, Since: at, Untaken: at},
		},
		"no worker takes it again": {
			&workflowpb.PendingActivityInfo{
				State: enums.PENDING_ACTIVITY_STATE_SCHEDULED, Attempt: 2, ScheduledTime: stamp(time.Minute),
				LastFailure: &failure.Failure{Message: "throttled"},
			},
			patch.Wait{Attempt: 2, Failure: "throttled", Untaken: at.Add(time.Minute)},
		},
		"an attempt was not answered": {
			&workflowpb.PendingActivityInfo{
				State: enums.PENDING_ACTIVITY_STATE_STARTED, Attempt: 3, LastFailure: &failure.Failure{
					Message:     "activity StartToClose timeout",
					FailureInfo: &failure.Failure_TimeoutFailureInfo{TimeoutFailureInfo: &failure.TimeoutFailureInfo{}},
				},
			},
			patch.Wait{Attempt: 3, Failure: "the attempt was not answered in time"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, []patch.Wait{c.want}, pending.Activities(waiting(c.told)))
		})
	}
}

// Of a wave of very many groups some are asked, those at work first, and the rest is counted.
func TestNotEveryGroupOfALargeWaveIsAsked(t *testing.T) {
	var ids []string
	known := map[string]*workflowservice.DescribeWorkflowExecutionResponse{}
	for i := range 300 {
		id := fmt.Sprintf("%s-%03d", group, i)
		ids, known[id] = append(ids, id), waiting()
	}
	atWork := ids[0] // which the wave began last
	known[wave], known[atWork] = children(names.PatchGroup, ids...), waiting(unhealthy())
	asked := &temporal{known: known}
	waits, err := pending.Read(t.Context(), asked, wave, atWork)
	require.NoError(t, err)
	require.Len(t, waits.On, 1)
	require.Equal(t, atWork, waits.On[0].WorkflowID)
	require.Len(t, asked.asked, 1+60)
	require.Equal(t, 300-60, waits.NotAsked)
}

func TestWhatDoesNotAnswerIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		asked := &temporal{hangs: true, known: map[string]*workflowservice.DescribeWorkflowExecutionResponse{
			wave: children(names.PatchGroup, strings.Split(strings.Repeat(group+" ", 20), " ")[:20]...),
		}}
		waits, err := pending.Read(t.Context(), asked, wave)
		require.NoError(t, err)
		require.Equal(t, 20, waits.NotAsked)
		require.Equal(t, 5*time.Second, time.Since(begun), "one deadline for all of them")
		_, err = pending.Read(t.Context(), asked, "wave-web-2")
		require.Error(t, err)
	})
}

// Whoever pauses an activity in Temporal tells nobody: who looks at the wave, and who watches an undo, must see it.
func TestAPausedActivityIsToldAsOneThatFails(t *testing.T) {
	known := &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: []*workflowpb.PendingActivityInfo{{
		ActivityId: "7", ActivityType: &common.ActivityType{Name: "ExitStandby"}, Paused: true, Attempt: 1,
		State: enums.PENDING_ACTIVITY_STATE_PAUSED,
		PauseInfo: &workflowpb.PendingActivityInfo_PauseInfo{
			PausedBy: &workflowpb.PendingActivityInfo_PauseInfo_Manual_{
				Manual: &workflowpb.PendingActivityInfo_PauseInfo_Manual{Identity: "ann@desk", Reason: "trying\n\x1b[2Jit"},
			},
		},
	}}}
	server := &temporal{known: map[string]*workflowservice.DescribeWorkflowExecutionResponse{instance: known}}
	const says = "it is paused in Temporal by ann@desk: trying [2Jit; it goes on by `temporal activity unpause " +
		"--workflow-id patch-instance/111122223333/r/i-1 --activity-id 7`"
	waits, err := pending.Read(t.Context(), server, instance)
	require.NoError(t, err)
	require.Len(t, waits.On, 1)
	require.Equal(t, says, waits.On[0].Failure)
	require.True(t, waits.On[0].Told(waits.At))
	undo, err := activities.NewPendings(server).Pending(t.Context(), activities.ReadPendingInput{
		WorkflowID: instance, Activity: "ExitStandby",
	})
	require.NoError(t, err)
	require.Equal(t, &activities.Pending{Attempt: 1, Failure: says}, undo)
}
