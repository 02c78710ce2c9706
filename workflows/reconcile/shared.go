package reconcile

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// unshare takes back what a wave that no longer runs has left shared of its image, for a copy in another account. Each
// mark names what carries it, so that no copy of its tags is taken for it, and only the account that it names loses
// anything.
func (p *placeSearch) unshare(ctx workflow.Context, one activities.SharedImage) {
	resource, state := "image "+one.Image, "shared with the account "+one.With
	if one.Image == "" {
		resource = "snapshot " + one.Snapshot
	}
	var owners activities.Owners
	if err := workflow.ExecuteActivity(
		run.Controlling(ctx, "whether its wave runs"), control.FindOwners,
		activities.FindOwnersInput{WorkflowIDs: []string{one.WaveID}},
	).Get(ctx, &owners); err != nil {
		p.failed(resource, "not touched, since nobody knows whether its wave runs: "+run.Reason(err),
			"see that Temporal answers, then run `patchtide reconcile` again")
		return
	}
	switch {
	case len(owners.Running) > 0:
		p.result.InUse = append(p.result.InUse, p.finding(resource, one.WaveID, one.WaveID+" runs, and copies it"))
		return
	case workflow.Now(ctx).Sub(owners.Closed) < p.scope.TooRecent.D():
		p.result.TooRecent = append(p.result.TooRecent, p.finding(resource, one.WaveID,
			p.tooRecent("its wave ended", owners.Closed)))
		return
	case p.request.DryRun:
		p.healed(resource, one.WaveID, state)
		return
	}
	acting := run.Acting(ctx, p.place.Nowhere(), p.scope.Timing)
	if err := workflow.ExecuteActivity(acting, aws.UnshareImage, one.ImageShare).Get(acting, nil); err != nil {
		p.failed(resource, "still "+state+": "+run.Reason(err), activities.ToUnshare)
		return
	}
	p.healed(resource, one.WaveID, "it was "+state)
}
