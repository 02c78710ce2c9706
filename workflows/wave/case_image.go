package wave

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// fit reads which instances of the stage AWS would not give a root volume of the image that is made for them, so that
// whoever approves knows who is to be refused: each is asked again before it is touched.
func (r *caseReader) fit(ctx workflow.Context) {
	if len(r.of.Images) == 0 {
		return
	}
	type asked struct {
		in  activities.ReadImageFitInput
		fit patch.ImageFit
		err error
	}
	var groups []*asked
	unasked := r.of.Due.Of
	for _, one := range r.looks() {
		unasked -= len(one.members)
		if image := r.wave.plan.RootImageFor(r.of.Images, one.held.group); image != nil {
			groups = append(groups, &asked{in: activities.ReadImageFitInput{
				Group: one.held.group, Image: image.ID, Instances: one.members,
			}})
		}
	}
	// What fails is told, and no error.
	_ = run.EachAtOnce(ctx, len(groups), lookedAtOnce, func(ctx workflow.Context, i int) error {
		one := groups[i]
		one.err = workflow.ExecuteActivity(r.reads(ctx, one.in.Group, "whether the image fits "+one.in.Group.String()),
			aws.ReadImageFit, one.in).Get(ctx, &one.fit)
		return nil
	})
	for _, one := range groups {
		if one.err != nil {
			r.unknown("whether the image %s fits %s: %s", one.in.Image, one.in.Group,
				patch.Clip(run.Reason(one.err), longestUnknown))
		}
		for _, why := range one.fit.Unfit {
			r.of.AddUnfit(one.in.Group.String() + " " + why)
		}
		for _, untried := range one.fit.Untried {
			r.unknown("%s", patch.Clip(untried, longestUnknown))
		}
	}
	if unasked > 0 {
		r.unknown("whether the image fits %d more instances, which were not asked: %d are, at most", unasked,
			mostCaseInstances)
	}
}
