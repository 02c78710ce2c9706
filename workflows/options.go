package workflows

import (
	"errors"
	"math"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// unlimited attempts must be spelt out: the test environment takes 0 for ten.
const unlimited = math.MaxInt32

// slowest is the longest pause between two attempts of an act, in multiples of the first: 2 s becomes a minute.
const slowest = 30

// acting is for what changes AWS, going forward: on a disconnected context, so that a cancel cannot let its effect land
// after the undo looked, and always awaited. It gives up after ActBudget, and at once on what only a person can mend.
func acting(ctx workflow.Context, group patch.Group, t patch.Timing) workflow.Context {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	return reading(ctx, group, t)
}

// undoing is for what puts AWS back: it never gives up by itself. ctx is already disconnected from the workflow's cancel;
// cancelling it is how a person gives up.
func undoing(ctx workflow.Context, group patch.Group, t patch.Timing) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           names.ActivityQueue(group.Account, group.Region),
		Summary:             group.String(),
		StartToCloseTimeout: t.Act.D(),
		WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: t.Retry.D(), BackoffCoefficient: 2, MaximumInterval: slowest * t.Retry.D(),
			MaximumAttempts: unlimited,
		},
	})
}

// waiting is for a wait that polls by retry until budget is spent; the last error is then NotReady. It is as cancellable
// as ctx is.
func waiting(ctx workflow.Context, group patch.Group, t patch.Timing, budget patch.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              names.ActivityQueue(group.Account, group.Region),
		Summary:                group.String(),
		StartToCloseTimeout:    t.Look.D(),
		ScheduleToCloseTimeout: budget.D(),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: t.Poll.D(), BackoffCoefficient: 1, MaximumAttempts: unlimited,
			NonRetryableErrorTypes: activities.Final(),
		},
	})
}

// reading is for one read that a decision needs now.
func reading(ctx workflow.Context, group patch.Group, t patch.Timing) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              names.ActivityQueue(group.Account, group.Region),
		Summary:                group.String(),
		StartToCloseTimeout:    t.Act.D(),
		ScheduleToCloseTimeout: t.ActBudget.D(),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: t.Retry.D(), BackoffCoefficient: 2, MaximumInterval: slowest * t.Retry.D(),
			MaximumAttempts: unlimited, NonRetryableErrorTypes: activities.Final(),
		},
	})
}

// unserved is how long a task may lie in an account's queue at preflight before we say that no worker serves it.
const unserved = 30 * time.Second

// controlling is for activities that touch no target account; they run on the workflows' own queue. summary says for people what it is
// about.
func controlling(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              names.TaskQueue,
		Summary:                summary,
		StartToCloseTimeout:    30 * time.Second, // a write to a bucket, with the SDK's own retries
		ScheduleToCloseTimeout: 30 * time.Minute, // an evidence store may be away for a while; then the wave says so
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second, MaximumAttempts: unlimited,
		},
	})
}

// pace is how the waits of a plan look.
func pace(t patch.Timing) activities.Pace { return activities.Pace{Poll: t.Poll, ReadLag: t.ReadLag} }

// summed says in the Temporal UI what an activity is for, where its name and group do not.
func summed(ctx workflow.Context, summary string) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	options.Summary = summary
	return workflow.WithActivityOptions(ctx, options)
}

// isType tells whether an activity ended with an error of one of the types.
func isType(err error, types ...string) bool {
	var typed *temporal.ApplicationError
	if !errors.As(err, &typed) {
		return false
	}
	for _, t := range types {
		if typed.Type() == t {
			return true
		}
	}
	return false
}

// reason is an error as a person should read it: the activity's own words, without Temporal's wrapping.
func reason(err error) string {
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		if typed.Type() == activities.ErrNotReady {
			return "gave up waiting: " + typed.Message()
		}
		return typed.Message()
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		return "no answer in time from the activity: " + timeout.Error()
	}
	if temporal.IsCanceledError(err) {
		return "cancelled"
	}
	return err.Error()
}
