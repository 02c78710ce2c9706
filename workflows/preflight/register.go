package preflight

import (
	"cmp"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// RegisterInput starts RegisterGroups.
type RegisterInput struct {
	WaveID   string
	Groups   []patch.Group
	Baseline string // the plan's, for groups that name none
	Timing   patch.Timing
}

// Registered is what a group is patched with and judged by, pinned.
type Registered struct {
	Runbook    activities.Runbook
	BaselineID string
	Differed   string `json:",omitempty"` // how the baseline differed from the file until now; "": it did not
}

// RegisterGroups registers what patches and what is judged by where groups are, and pins the runbook's version and
// hash.
func RegisterGroups(ctx workflow.Context, in RegisterInput) ([]Registered, error) {
	return ofEach(ctx, in.WaveID, in.Groups, func(ctx workflow.Context, group patch.Group) (done Registered, err error) {
		options := run.Acting(ctx, group, in.Timing)
		if err := workflow.ExecuteActivity(options, aws.EnsureRunbook, activities.EnsureRunbookInput{
			Group: group,
		}).Get(ctx, &done.Runbook); err != nil {
			return done, run.PreflightError(group, err)
		}
		var baseline activities.RegisteredBaseline
		if err := workflow.ExecuteActivity(options, aws.EnsureBaseline, activities.EnsureBaselineInput{
			Group: group, Baseline: cmp.Or(group.ToldBaseline(), in.Baseline), At: workflow.Now(ctx),
		}).Get(ctx, &baseline); err != nil {
			return done, run.PreflightError(group, err)
		}
		done.BaselineID, done.Differed = baseline.BaselineID, baseline.Differed
		return done, nil
	})
}
