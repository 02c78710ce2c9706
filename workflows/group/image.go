package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// tellImage tells whether what the group launches next lacks what the wave has installed: the next scale-out would undo
// the wave. What cannot be read is told so, and keeps nobody from anything.
func (g *group) tellImage(ctx workflow.Context) {
	if !g.in.Group.IsAutoScaling() || patch.CountPatched(g.status.Instances) == 0 || g.stopped || g.wanted() {
		return
	}
	reads := run.Glance(ctx, g.in.Group, g.in.Policy.Timing, "what the group launches next")
	var next patch.NextImage
	if err := workflow.ExecuteActivity(reads, aws.ReadNextImage, activities.ReadNextImageInput{
		Group: g.in.Group,
	}).Get(ctx, &next); err != nil {
		g.status.StaleImage = patch.Clip("whether what it launches next lacks these patches is not known: "+run.Reason(err), 300)
		return
	}
	g.status.StaleImage = next.Stale(g.status.Instances)
}
