package group

import (
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/room"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// mark writes the group's record, with the room that is to be made and what is to be suspended while several are out,
// then puts its pointer on the group.
func (g *group) mark(ctx workflow.Context, state patch.GroupState, suspend []string) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	var made *room.Room
	if g.status.Strategy.Mode == patch.CapacitySurge {
		made = room.New(g.in.Group, g.in.Policy, g.in.WaveID, g.status.Strategy)
	}
	if made != nil {
		made.Suspends = suspend
		if err := made.Journal(clean, state); err != nil {
			return err
		}
	} else {
		g.record = journal.OfGroup(g.in.WaveID, g.in.Group, g.in.Policy, state)
		g.record.Intended.Suspend = suspend
		if err := run.WriteRecord(clean, &g.record); err != nil {
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

// suspend suspends some of what the group's record tells of. What cannot be ends the group's turn.
func (g *group) suspend(ctx workflow.Context, suspend []string) error {
	if len(suspend) == 0 {
		return nil
	}
	asked := g.processes(suspend)
	fresh := patch.Except(suspend, g.suspended)
	asked.Fresh = len(fresh) == len(suspend) // else some could not be resumed before
	g.suspended = slices.Concat(g.suspended, fresh)
	var done activities.Suspension
	options := run.Acting(ctx, g.in.Group, g.in.Policy.Timing)
	if err := workflow.ExecuteActivity(options, aws.SuspendProcesses, asked).Get(options, &done); err != nil {
		clean, _ := workflow.NewDisconnectedContext(ctx)
		run.OutwaitLag(clean, g.in.Policy.Timing) // it may have had its effect
		g.giveBack(ctx)
		return err
	}
	if len(done.Theirs) > 0 {
		g.notes = append(g.notes, strings.Join(done.Theirs, ", ")+" was suspended by somebody else meanwhile, and stays so")
		g.disowns(ctx, done.Theirs)
	}
	return nil
}

// disowns records which processes were suspended by others: whoever heals the group later does not resume them.
func (g *group) disowns(ctx workflow.Context, theirs []string) {
	record := &g.record
	if g.room != nil {
		record = &g.room.Record
		g.room.Suspends = patch.Except(g.room.Suspends, theirs)
	}
	g.suspended = patch.Except(g.suspended, theirs)
	record.Intended.Suspend = patch.Except(record.Intended.Suspend, theirs)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := run.WriteRecord(run.WhileOut(clean), record); err != nil {
		g.notes = append(g.notes, "that "+strings.Join(theirs, ", ")+
			" were suspended by somebody else is not in the journal: "+run.Reason(err))
	}
}

// toSuspend are the processes that nobody has suspended and that would work against room, or against instances that are
// out. Where one is out at a time it suspends the latter itself, and not for as long as all of its group take.
func (g *group) toSuspend(state patch.GroupState, level patch.Level) (processes []string) {
	processes = slices.Clone(g.suspended) // what could not be resumed before is ours still, and found suspended
	var against []string
	switch {
	case !g.in.Group.IsAutoScaling():
	case level == patch.LevelGroup && g.status.Strategy.AtOnce > 1:
		against = patch.OutProcesses
	case g.status.Strategy.Mode == patch.CapacitySurge:
		against = patch.RoomProcesses
	}
	return append(processes, patch.Except(against, state.Suspended)...)
}

func (g *group) processes(names []string) activities.ProcessesInput {
	return activities.ProcessesInput{Group: g.in.Group, Processes: names, Pace: run.Pace(g.in.Policy.Timing)}
}

// resume resumes what the group has suspended; what cannot be is told. It reports whether nothing of it is suspended
// any more.
func (g *group) resume(ctx workflow.Context, processes []string) bool {
	if len(processes) == 0 {
		return true
	}
	err := g.undone(ctx, aws.ResumeProcesses, g.processes(processes))
	if err == nil || run.IsType(err, activities.ErrGroupNotFound) {
		return true
	}
	list := strings.Join(processes, " ")
	g.strand("its processes "+list+" are still suspended: "+run.Reason(err),
		"aws autoscaling resume-processes --auto-scaling-group-name "+names.ShellWord(g.in.Group.Name())+
			" --scaling-processes "+list)
	return false
}

// giveBack returns the room and takes the mark off; what cannot be is told. While anything of the group is stranded the
// mark stays, so that Reconcile finds it again.
func (g *group) giveBack(ctx workflow.Context) {
	clean, stop := g.undoing(ctx)
	defer stop()
	g.passNow(ctx) // this may take hours, for which none of its instances is under way any more
	if g.room != nil {
		g.status.Stranded = append(g.status.Stranded, g.room.GiveBack(clean)...)
		g.room = nil
	}
	if g.resume(clean, g.suspended) {
		g.suspended = nil
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
