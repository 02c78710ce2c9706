package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// longestWhy bounds why an image is not known: EC2's refusals are long, and a wave has a thousand groups.
const longestWhy = 200

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
		g.status.StaleImage = "whether what it launches next lacks these patches is not known: " +
			patch.Clip(run.Reason(err), longestWhy)
		return
	}
	g.status.StaleImage = next.Stale(g.status.Instances, g.in.Policy.Root, g.status.Image)
}
