package group

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// longestCount bounds the count of those in service: who is asked to decide does not wait for AWS.
const longestCount = time.Minute

// serving says how many members are in service, as whoever is asked about a failure wants to know first; "" where the
// group cannot be read now.
func (g *group) serving(ctx workflow.Context) string {
	ctx = run.Reading(ctx, g.in.Group, g.in.Policy.Timing)
	options := workflow.GetActivityOptions(ctx)
	options.ScheduleToCloseTimeout = min(options.ScheduleToCloseTimeout, longestCount)
	var state patch.GroupState
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), aws.InspectGroup,
		activities.InspectGroupInput{Group: g.in.Group, Targets: g.targets}).Get(ctx, &state); err != nil {
		return ""
	}
	serving := 0
	for _, member := range state.Members {
		if member.Serving(g.in.Group.IsAutoScaling()) {
			serving++
		}
	}
	return fmt.Sprintf("When this was asked, %d of its %d members were in service", serving, len(state.Members))
}
