// Package notice tells people: Notify, and Tell, which starts it.
package notice

import (
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Notify tells people one notice, on every channel that the worker's configuration has by then. Each channel has an
// activity of its own: one that is away delays no other. It ends when all have ended, and fails when a channel could
// not be told, so that a search for failed workflows finds it.
func Notify(ctx workflow.Context, notice patch.Notice) error {
	if err := run.ChildOf(ctx, "who has something to tell"); err != nil {
		return err
	}
	var channels []string
	if err := workflow.ExecuteActivity(telling(ctx, "which channels"), control.Channels).Get(ctx, &channels); err != nil {
		return err
	}
	sent := make([]workflow.Future, len(channels))
	for i, channel := range channels {
		sent[i] = workflow.ExecuteActivity(
			telling(ctx, channel), control.Notify, activities.NotifyInput{Channel: channel, Notice: notice},
		)
	}
	var problems []string
	for _, one := range sent {
		if err := one.Get(ctx, nil); err != nil {
			problems = append(problems, run.Reason(err))
		}
	}
	if len(problems) > 0 {
		return temporal.NewNonRetryableApplicationError(strings.Join(problems, "; "), activities.ErrNotificationRejected, nil)
	}
	return nil
}

// Tell starts telling people and waits only until that has begun, which Temporal does by itself: neither a dead channel
// nor a cancel of the wave is in the way, and it goes on when the teller has closed. The workflow's id is made of the
// notice's key, so a notice that was told already is not told again. The future ends with how it went; nobody needs to
// wait for it.
func Tell(ctx workflow.Context, notice patch.Notice) workflow.ChildWorkflowFuture {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	child := workflow.WithChildOptions(clean, workflow.ChildWorkflowOptions{
		WorkflowID: names.Notice(notice.Key), TaskQueue: names.TaskQueue,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		StaticSummary:         "tells people: " + notice.Kind.Words(),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(names.AttributePlan).ValueSet(notice.Plan),
			temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(notice.WaveID),
		),
	})
	future := workflow.ExecuteChildWorkflow(child, Notify, notice)
	if err := future.GetChildWorkflowExecution().Get(clean, nil); err != nil &&
		!temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		workflow.GetLogger(ctx).Warn("a notice is not sent", "notice", notice.Key, "error", err)
	}
	return future
}

// telling is for what sends notices. Hours, since a chat may be down for an evening, and a notice that comes late still
// says when it happened.
func telling(ctx workflow.Context, channel string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              names.TaskQueue,
		Summary:                channel,
		StartToCloseTimeout:    time.Minute, // reading the address, sending, and remembering it
		ScheduleToCloseTimeout: 6 * time.Hour,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 2 * time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Minute,
		},
	})
}
