package wave

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// newestManifest is what earlier waves of the plan have proved, where that binds a stage; nil: it binds none. That it
// cannot be read is told, and stands in nobody's way.
func (p *preview) newestManifest(ctx workflow.Context) *patch.PreviewBound {
	bound := false
	for i := range p.plan.Stages {
		bound = bound || p.plan.PinOf(i) == patch.PinManifest
	}
	if !bound {
		return nil
	}
	options := workflow.GetActivityOptions(run.Controlling(ctx, "what earlier waves proved"))
	options.ScheduleToCloseTimeout = impatient
	found := patch.PreviewBound{Systems: []patch.BoundSystem{}, NotYet: []string{}}
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), control.ReadNewestManifest,
		activities.FindCarriedInput{Plan: p.plan.Name, At: workflow.Now(ctx)}).Get(ctx, &found); err != nil {
		return &patch.PreviewBound{Systems: []patch.BoundSystem{}, NotYet: []string{}, Unknown: run.Reason(err)}
	}
	return &found
}
