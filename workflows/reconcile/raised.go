package reconcile

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// raised tells of groups of a plan whose max is one above what a wave found, and that carry no tag: somebody took it
// off, or means the number. Nothing is done about it.
func (p *placeSearch) raised(ctx workflow.Context, found activities.Marked) {
	if len(found.Unmarked) == 0 {
		return
	}
	var read activities.RaisedMax
	if err := workflow.ExecuteActivity(
		run.Controlling(ctx, "which max was raised by a wave"), control.RaisedMax,
		activities.RaisedMaxInput{Groups: found.Unmarked},
	).Get(ctx, &read); err != nil {
		p.failed("raised max", "not asked about: "+run.Reason(err), "see that the evidence store can be reached")
		return
	}
	for _, group := range read.Raised {
		if !group.Lately(workflow.Now(ctx)) ||
			slices.ContainsFunc(found.Resources, func(m activities.MarkedResource) bool { return m.Member == group.Group }) {
			continue // healed by the mark of its instance
		}
		lock := names.GroupLock(patch.Group{Account: p.place.Account, Region: p.place.Region, AutoScalingGroup: group.Group})
		var owners activities.Owners
		err := workflow.ExecuteActivity(
			run.Controlling(ctx, "which of them run"), control.FindOwners,
			activities.FindOwnersInput{WorkflowIDs: []string{lock}},
		).Get(ctx, &owners)
		if err == nil && len(owners.Running) > 0 {
			continue // in the middle of its work
		}
		p.result.Unmarked = append(p.result.Unmarked, p.finding("auto scaling group "+group.Group, group.WaveID, fmt.Sprintf(
			"its max is %d and was %d before this wave may have raised it on %s, and it carries no tag",
			group.MaxBefore+group.By, group.MaxBefore, group.At.UTC().Format("2006-01-02 15:04 MST"))))
	}
}
