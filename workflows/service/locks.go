package service

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Locks are the locks of services that a wave, or a release, holds.
type Locks []workflow.ChildWorkflowFuture

// Release frees the locks. Where a group ended without its word, instances of it may be under way still: the locks then
// end by themselves, and nobody need wait for them.
func (l Locks) Release(ctx workflow.Context, atRest bool) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	for _, held := range l {
		// One that is gone needs to be told nothing.
		_ = held.SignalChildWorkflow(clean, names.SignalRelease, Release{AtRest: atRest}).Get(clean, nil)
	}
	for _, held := range l {
		if atRest {
			_ = held.Get(clean, nil) // however it ended: it is free
		}
	}
}

// hearing is how long a cancel may take to reach a child: Temporal hands it on within a second, a restarting server a
// few.
const hearing = 10 * time.Second

// AwaitClosed waits until no workflow works on the groups for the wave any more.
func AwaitClosed(ctx workflow.Context, waveID string, groups []patch.Group) error {
	asking := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           names.TaskQueue,
		Summary:             "until nothing of the wave is under way any more",
		StartToCloseTimeout: 30 * time.Second, // a folder of the evidence store, and a question or two a group
		WaitForCancellation: true,
		// No budget: putting back has none either.
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second,
		},
	})
	return workflow.ExecuteActivity(
		asking, control.AwaitWorkflowsClosed, activities.AwaitWorkflowsClosedInput{WaveID: waveID, Groups: groups},
	).Get(ctx, nil)
}
