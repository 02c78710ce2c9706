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

// Targets are the target groups that serve a group.
type Targets struct {
	ARNs []string // none where the group is gone
}

// FindTargetGroups tells which target groups serve each group, for a roll back, which must take out one instance of a
// service at a time.
func FindTargetGroups(ctx workflow.Context, in TargetsInput) ([]Targets, error) {
	return ofEach(ctx, in.WaveID, in.Groups, func(ctx workflow.Context, group patch.Group) (Targets, error) {
		state, err := read(ctx, group, in.Timing)
		if err != nil {
			return Targets{}, run.PreflightError(group, err)
		}
		return Targets{run.TargetGroups(state)}, nil
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
