package preflight

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// TargetsInput starts FindTargetGroups.
type TargetsInput struct {
	WaveID string
	Groups []patch.Group
	Timing patch.Timing
}

// FindTargetGroups tells which target groups serve each group, for a roll back, which must take out one instance of a
// service at a time. A group that is gone is behind none.
func FindTargetGroups(ctx workflow.Context, in TargetsInput) ([]patch.Behind, error) {
	return ofEach(ctx, in.WaveID, in.Groups, func(ctx workflow.Context, group patch.Group) (patch.Behind, error) {
		state, err := read(ctx, group, in.Timing)
		if err != nil {
			return patch.Behind{}, run.PreflightError(group, err)
		}
		return state.Behind(), nil
	})
}

// read reads a group; one that is gone is empty.
func read(ctx workflow.Context, group patch.Group, t patch.Timing) (state patch.GroupState, err error) {
	err = workflow.ExecuteActivity(run.Sweeping(ctx, group, t), aws.InspectGroup,
		activities.InspectGroupInput{Group: group}).Get(ctx, &state)
	if run.IsType(err, activities.ErrGroupNotFound) {
		return patch.GroupState{}, nil
	}
	return state, err
}
