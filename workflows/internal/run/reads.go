package run

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// unserved is how long a task may lie in an account's queue at preflight before we say that no worker serves it.
const unserved = 30 * time.Second

// InspectServed reads a group for the first time, and names the queue when nobody serves it. ctx has the read's
// options.
func InspectServed(ctx workflow.Context, group patch.Group) (patch.GroupState, error) {
	options := workflow.GetActivityOptions(ctx)
	options.ScheduleToStartTimeout = unserved
	var state patch.GroupState
	err := workflow.ExecuteActivity(
		workflow.WithActivityOptions(ctx, options), aws.InspectGroup,
		activities.InspectGroupInput{Group: group, Unseen: true},
	).Get(ctx, &state)
	switch {
	case isUnserved(err):
		return state, temporal.NewNonRetryableApplicationError(fmt.Sprintf("%s: no worker serves the task queue %s; start "+
			"one whose configuration has the account and region",
			group, names.ActivityQueue(group.Account, group.Region)), ErrQueueNotServed, err)
	case err != nil:
		return state, PreflightError(group, err)
	}
	return state, nil
}
