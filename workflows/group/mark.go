package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/room"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// mark writes the group's record, with the room that is to be made, then puts its pointer on the group.
func (g *group) mark(ctx workflow.Context, state patch.GroupState) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	var made *room.Room
	if g.status.Strategy.Mode == patch.CapacitySurge {
		made = room.New(g.in.Group, g.in.Policy, g.in.WaveID, g.status.Strategy)
	}
	if made != nil {
		if err := made.Journal(clean, state); err != nil {
			return err
		}
	} else {
		record := journal.OfGroup(g.in.WaveID, g.in.Group, g.in.Policy, state)
		if err := run.WriteRecord(clean, &record); err != nil {
			return err
		}
	}
	if err := g.act(ctx, aws.MarkGroup, g.journal()); err != nil {
		g.unmarkUnsure(ctx, err)
		return err
	}
	g.room = made
	return nil
}

// giveBack returns the room and takes the mark off; what cannot be is told. While anything of the group is stranded the
// mark stays, so that Reconcile finds it again.
func (g *group) giveBack(ctx workflow.Context) {
	clean, stop := g.undoing(ctx)
	defer stop()
	if g.room != nil {
		g.status.Stranded = append(g.status.Stranded, g.room.GiveBack(clean)...)
		g.room = nil
	}
	if len(g.status.Stranded) > 0 {
		g.endRecord(ctx)
		return
	}
	g.unmark(clean)
}

// endRecord writes into the journal that nothing of the group's record is left, or that what is stranded is.
func (g *group) endRecord(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := run.EndRecord(clean, activities.EndJournalInput{
		Record: run.RecordOf(g.in.WaveID, g.in.Group, ""), Left: len(g.status.Stranded) > 0,
	}); err != nil {
		workflow.GetLogger(ctx).Warn("the group's record is not ended", "group", g.in.Group.String(),
			"error", run.Reason(err))
	}
}

// unmark takes the group's mark off; one that cannot be taken off is told.
func (g *group) unmark(ctx workflow.Context) {
	g.endRecord(ctx)
	if err := g.undone(ctx, aws.UnmarkGroup, g.journal()); err != nil && !run.IsType(err, activities.ErrGroupNotFound) {
		g.status.Stranded = append(g.status.Stranded, patch.Stranded{
			Account: g.in.Group.Account.Name, Region: g.in.Group.Region, Resource: "auto scaling group " + g.in.Group.Name(),
			State: "still carries our tag: " + run.Reason(err), WhatToDo: "remove the tag " + names.TagJournal +
				" from the group",
		})
	}
}

// unmarkUnsure takes off a mark that may be there although setting it failed, unless it is to stay for what is
// stranded.
func (g *group) unmarkUnsure(ctx workflow.Context, cause error) {
	if run.IsType(cause, activities.ErrOwnedByAnotherWave, activities.ErrGroupNotFound) || len(g.status.Stranded) > 0 {
		return
	}
	clean, stop := g.undoing(ctx)
	defer stop()
	run.OutwaitLag(clean, g.in.Policy.Timing)
	g.unmark(clean)
}

func (g *group) journal() activities.MarkGroupInput {
	return activities.MarkGroupInput{Group: g.in.Group, Pace: run.Pace(g.in.Policy.Timing), Journal: activities.Journal{
		WaveID: g.in.WaveID, Record: names.JournalRecord(g.in.Group, ""),
	}}
}
