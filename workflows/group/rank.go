package group

import (
	"maps"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// rank puts those that wait in the order of how exposed they are, where that says who is taken first. The wave has
// scanned them since the group got its members, and a group that goes on in another window may find another order.
func (g *group) rank(ctx workflow.Context, state patch.GroupState) error {
	if g.in.Policy.Order != patch.OrderExposure {
		return nil
	}
	var waiting []string
	rest := slices.DeleteFunc(slices.Clone(g.status.Instances), func(one patch.InstanceResult) bool {
		waits := one.Outcome == patch.NotStarted
		if waits {
			waiting = append(waiting, one.ID)
		}
		return waits
	})
	known := map[string]*patch.Exposure{}
	reads := run.Summed(run.Sweeping(ctx, g.in.Group, g.in.Policy.Timing), "how exposed each of "+g.in.Group.Name()+" is")
	for part := range slices.Chunk(waiting, run.Batch) {
		var read activities.Exposures
		if err := workflow.ExecuteActivity(reads, aws.RankExposure, activities.RankExposureInput{
			Group: g.in.Group, Instances: part,
		}).Get(ctx, &read); err != nil {
			return err
		}
		maps.Copy(known, read.Of)
	}
	ordered := state.Exposed(known).Ordered(g.in.Policy.Order)
	place := func(id string) int {
		if g.status.Instances[indexOf(g.status.Instances, id)].LastTry != nil {
			return -1 // a retry begins with what failed
		}
		at := slices.IndexFunc(ordered, func(m patch.Member) bool { return m.ID == id })
		if at < 0 {
			return len(ordered) // it has gone, or is no longer taken
		}
		return at
	}
	slices.SortStableFunc(waiting, func(a, b string) int { return place(a) - place(b) })
	for _, id := range waiting {
		rest = append(rest, g.status.Instances[indexOf(g.status.Instances, id)])
	}
	g.status.Instances = rest
	return nil
}
