// Package pending reads from Temporal what workflows wait for right now: activities that are tried again and again, of
// which their workflow is told only how they end. No worker is asked.
package pending

import (
	"context"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// Describer is the part of Temporal's client that workflows are described with.
type Describer interface {
	DescribeWorkflowExecution(
		ctx context.Context, workflowID, runID string,
	) (*workflowservice.DescribeWorkflowExecutionResponse, error)
}

// Activities are those that a workflow waits for, by what Temporal tells of it.
func Activities(described *workflowservice.DescribeWorkflowExecutionResponse) []patch.Wait {
	id := described.GetWorkflowExecutionInfo().GetExecution().GetWorkflowId()
	var waits []patch.Wait
	for _, one := range described.GetPendingActivities() {
		wait := patch.Wait{
			WorkflowID: id, Activity: one.GetActivityType().GetName(), Attempt: int(one.GetAttempt()),
			Since: firstTried(one), Failure: words(one.GetLastFailure()),
			Polls: one.GetLastFailure().GetApplicationFailureInfo().GetCategory() == enums.APPLICATION_ERROR_CATEGORY_BENIGN,
		}
		switch {
		case one.GetPaused():
			wait.Failure, wait.Polls, wait.Paused = pausedBy(id, one), false, true
		case one.GetNextAttemptScheduleTime() != nil:
			wait.Next = one.GetNextAttemptScheduleTime().AsTime()
		case one.GetState() == enums.PENDING_ACTIVITY_STATE_SCHEDULED:
			wait.Untaken = one.GetScheduledTime().AsTime()
		}
		waits = append(waits, wait)
	}
	return waits
}

// pausedBy says that somebody has paused an activity in Temporal, and how it goes on: whoever waits for it is told
// nothing of that.
func pausedBy(workflowID string, one *workflowpb.PendingActivityInfo) string {
	said := "it is paused in Temporal"
	by := one.GetPauseInfo().GetManual()
	if who := plain.Line(by.GetIdentity()); who != "" {
		said += " by " + who
	}
	if why := plain.Line(by.GetReason()); why != "" {
		said += ": " + why
	}
	return said + "; it goes on by `temporal activity unpause --workflow-id " + names.ShellWord(workflowID) +
		" --activity-id " + one.GetActivityId() + "`"
}

// firstTried is when an activity was first scheduled. Temporal tells when the attempt of now was, and when the time for
// all of them is over.
func firstTried(one *workflowpb.PendingActivityInfo) time.Time {
	whole := one.GetActivityOptions().GetScheduleToCloseTimeout().AsDuration()
	switch {
	case one.GetAttempt() <= 1 && one.GetScheduledTime() != nil:
		return one.GetScheduledTime().AsTime()
	case one.GetExpirationTime() == nil || whole <= 0:
		return time.Time{}
	}
	return one.GetExpirationTime().AsTime().Add(-whole)
}

// words is why an attempt failed, on one line.
func words(failure *failurepb.Failure) string {
	if timeout := failure.GetTimeoutFailureInfo(); timeout != nil && failure.GetCause() == nil {
		return "the attempt was not answered in time"
	} else if timeout != nil {
		failure = failure.GetCause() // which is why the attempts before it failed
	}
	return strings.Join(strings.Fields(plain.Text(failure.GetMessage())), " ")
}
