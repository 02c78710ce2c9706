package run

import (
	"cmp"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Owner is the run that began this workflow as its child; nil where a person did. After a reset another run has its
// id, and this one's word is nobody's any more.
func Owner(ctx workflow.Context) *activities.RunOf {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if parent == nil {
		return nil
	}
	return &activities.RunOf{WorkflowID: parent.ID, RunID: parent.RunID}
}

// Itself is the run that began this workflow's history: of one that was reset, the run that it was reset from.
func Itself(ctx workflow.Context) activities.RunOf {
	info := workflow.GetInfo(ctx)
	of := activities.RunOf{WorkflowID: info.WorkflowExecution.ID, RunID: info.OriginalRunID}
	if of.RunID == "" {
		of.RunID = info.WorkflowExecution.RunID
	}
	return of
}

// First is the id of this workflow's first run: the same after a reset, and another where its id is used again.
func First(ctx workflow.Context) string {
	info := workflow.GetInfo(ctx)
	return cmp.Or(info.FirstRunID, info.WorkflowExecution.RunID) // the SDK's test environment tells no first one
}

// OwnerPoll is how often it is asked whether an owner goes on, whose locks end within that: ten minutes by default. Who
// begins an instance asks for itself.
func OwnerPoll(t patch.Timing) patch.Duration { return 40 * t.Poll }

// ItselfPoll is how often a workflow has its own run asked for. That always goes on: only Temporal's reset has it asked
// anew, at once.
const ItselfPoll = patch.Duration(24 * time.Hour)

// AwaitClosed waits until a run has closed, and reports whether it has; not: the wait was cancelled. It is one
// activity, whose attempts are in no history.
func AwaitClosed(ctx workflow.Context, of activities.RunOf, poll patch.Duration, summary string) bool {
	options := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: names.TaskQueue, Summary: summary, StartToCloseTimeout: 30 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Minute, BackoffCoefficient: 1,
		},
	})
	err := workflow.ExecuteActivity(options, control.AwaitRunClosed, activities.AwaitRunClosedInput{
		Run: of, Poll: poll,
	}).Get(ctx, nil)
	// It never fails by itself: a reset fails what it finds under way.
	return !temporal.IsCanceledError(err)
}
