// Package run is how workflows call activities: all activity options, tokens, reasons of errors, strict requests, and
// the words of details.
package run

import (
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// ParentClose is what becomes of a child: a terminated wave must never kill one mid-patch; cancelled children put back
// what they hold.
const ParentClose = enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL

// slowest is the longest pause between two attempts of an act: 2 s becomes a minute, and nothing else more than that,
// for what is doubted is believed by looks that follow one another.
func slowest(t patch.Timing) time.Duration { return min(30*t.Retry.D(), patch.LongestRetry.D()) }

// Acting is for what changes AWS, going forward: on a disconnected context, so that a cancel cannot let its effect land
// after the undo looked, and always awaited. It gives up after ActBudget, and at once on what only a person can mend.
func Acting(ctx workflow.Context, group patch.Group, t patch.Timing) workflow.Context {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	return Reading(ctx, group, t)
}

// Undoing is for what puts AWS back: it never gives up by itself. ctx is already disconnected from the workflow's
// cancel; cancelling it is how a person gives up.
func Undoing(ctx workflow.Context, group patch.Group, t patch.Timing) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           names.ActivityQueue(group.Account, group.Region),
		Summary:             group.String(),
		StartToCloseTimeout: t.Act.D(),
		WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: t.Retry.D(), BackoffCoefficient: 2, MaximumInterval: slowest(t),
		},
	})
}

// Waiting is for a wait that polls by retry until budget is spent; the last error is then NotReady. It is as
// cancellable as ctx is.
func Waiting(ctx workflow.Context, group patch.Group, t patch.Timing, budget patch.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              names.ActivityQueue(group.Account, group.Region),
		Summary:                group.String(),
		StartToCloseTimeout:    t.Look.D(),
		ScheduleToCloseTimeout: budget.D(),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: t.Poll.D(), BackoffCoefficient: 1,
			NonRetryableErrorTypes: activities.Final(),
		},
	})
}

// Again is for another look at what has been waited for: a few attempts, for a machine answers the second at the
// earliest what the first has asked it.
func Again(ctx workflow.Context, t patch.Timing) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	policy := *options.RetryPolicy
	policy.MaximumAttempts = 3
	options.RetryPolicy, options.ScheduleToCloseTimeout = &policy, t.ActBudget.D()
	return workflow.WithActivityOptions(ctx, options)
}

// Glance is for a read that decides nothing, and is not to hold anybody up.
func Glance(ctx workflow.Context, group patch.Group, t patch.Timing, summary string) workflow.Context {
	options := workflow.GetActivityOptions(Again(Summed(Reading(ctx, group, t), summary), t))
	options.ScheduleToCloseTimeout = min(options.ScheduleToCloseTimeout, time.Minute)
	return workflow.WithActivityOptions(ctx, options)
}

// Reading is for one read that a decision needs now.
func Reading(ctx workflow.Context, group patch.Group, t patch.Timing) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              names.ActivityQueue(group.Account, group.Region),
		Summary:                group.String(),
		StartToCloseTimeout:    t.Act.D(),
		ScheduleToCloseTimeout: t.ActBudget.D(),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: t.Retry.D(), BackoffCoefficient: 2, MaximumInterval: slowest(t),
			NonRetryableErrorTypes: activities.Final(),
		},
	})
}

// Sweeping is for a read that looks through every target group of an account, of which there may be hundreds: one
// attempt may take as long as all of them together.
func Sweeping(ctx workflow.Context, group patch.Group, t patch.Timing) workflow.Context {
	ctx = Reading(ctx, group, t)
	options := workflow.GetActivityOptions(ctx)
	options.StartToCloseTimeout = options.ScheduleToCloseTimeout
	return workflow.WithActivityOptions(ctx, options)
}

// Controlling is for activities that touch no target account; they run on the workflows' own queue. summary says for
// people what it is about.
func Controlling(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              names.TaskQueue,
		Summary:                summary,
		StartToCloseTimeout:    30 * time.Second, // a write to a bucket, with the SDK's own retries
		ScheduleToCloseTimeout: 30 * time.Minute, // an evidence store may be away for a while; then the wave says so
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second,
		},
	})
}

// Looking is Controlling for a look that only shows something to people: it gives up soon.
func Looking(ctx workflow.Context, summary string) workflow.Context {
	options := workflow.GetActivityOptions(Controlling(ctx, summary))
	options.ScheduleToCloseTimeout = time.Minute
	return workflow.WithActivityOptions(ctx, options)
}

// Pace is how the waits of a plan look.
func Pace(t patch.Timing) activities.Pace { return activities.Pace{Poll: t.Poll, ReadLag: t.ReadLag} }

// Before gives an act up at a time at which it may not begin any more.
func Before(ctx workflow.Context, cutoff time.Time) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	left := max(cutoff.Sub(workflow.Now(ctx)), time.Second)
	if options.ScheduleToCloseTimeout == 0 || left < options.ScheduleToCloseTimeout {
		options.ScheduleToCloseTimeout = left
	}
	return workflow.WithActivityOptions(ctx, options)
}

// Within gives an activity up after so long.
func Within(ctx workflow.Context, budget time.Duration) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	options.ScheduleToCloseTimeout = budget
	return workflow.WithActivityOptions(ctx, options)
}

// Thoroughly is Within for what may need all of its budget for one try.
func Thoroughly(ctx workflow.Context, budget time.Duration) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	options.StartToCloseTimeout, options.ScheduleToCloseTimeout = budget, budget
	return workflow.WithActivityOptions(ctx, options)
}

// Summed says in the Temporal UI what an activity is for, where its name and group do not.
func Summed(ctx workflow.Context, summary string) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	options.Summary = summary
	return workflow.WithActivityOptions(ctx, options)
}
