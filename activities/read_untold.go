package activities

import (
	"cmp"
	"context"
	"slices"

	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// untold is what a journal tells of a wave that did not end by itself.
type untold struct {
	ended     bool              // it tells of instances that were patched
	unsettled []*journal.Record // of instances that were under way, and are not put back yet
	unproven  []string          // records that cannot be believed
}

// readUntold puts what the wave's journal tells of instances into its document, but of those of which it, or a group,
// tells already that they are patched.
func (c *Control) readUntold(ctx context.Context, wave string, document *WaveDocument) (untold, error) {
	documents, unproven, err := c.Evidence.ListJournal(ctx, wave)
	if err != nil {
		return untold{}, err
	}
	found := untold{unproven: unproven}
	var records []*journal.Record
	for _, body := range documents {
		record, err := journal.DecodeUntold(body, wave)
		switch {
		case err != nil:
			found.unproven = append(found.unproven, err.Error())
		case record == nil:
		case record.Patched != nil:
			records = append(records, record)
		case !record.Ended && !record.Left:
			found.unsettled = append(found.unsettled, record)
		}
	}
	// In the order in which the stages were taken, for they are put back the other way round.
	slices.SortStableFunc(records, func(a, b *journal.Record) int {
		return cmp.Or(a.Policy.StageAt-b.Policy.StageAt, a.At.Compare(b.At))
	})
	for _, record := range records {
		if tellsPatched(document.Result, record.Instance) {
			continue
		}
		*document, found.ended = document.With(documentOf(wave, record.Group, record.Policy, patch.GroupResult{
			Account: record.Group.Account.Name, Region: record.Group.Region, Name: record.Group.Name(),
			Outcome: patch.Failed, Instances: []patch.InstanceResult{*record.Patched},
		}, nil)), true
	}
	return found, nil
}

// tellsPatched tells that a result has an instance as patched.
func tellsPatched(result patch.WaveResult, id string) bool {
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			if slices.ContainsFunc(group.Instances, func(i patch.InstanceResult) bool {
				return i.ID == id && i.WantsRollBack()
			}) {
				return true
			}
		}
	}
	return false
}

// underWay are the groups of instances that are put back by a workflow of the wave, which has outlived it.
func (c *Control) underWay(ctx context.Context, wave string, unsettled []*journal.Record) ([]patch.Group, error) {
	var groups []patch.Group
	for _, record := range unsettled {
		group := record.Group
		lock, err := c.held(ctx, wave, names.GroupLock(group), names.InstanceLock(group, record.Instance))
		switch {
		case err != nil:
			return nil, err
		case lock != "" && !slices.ContainsFunc(groups, func(g patch.Group) bool { return g.String() == group.String() }):
			groups = append(groups, group)
		}
	}
	return groups, nil
}
