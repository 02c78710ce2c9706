package group

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/room"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// Heal asks for what a dead wave left of a group to be put back from the journal's records.
type Heal struct {
	Record    *journal.Record // of the group; nil when the group carries no mark
	Instances []instance.Heal
	Raises    []activities.MaxRaise // of the group's max for an instance's sake, highest first
}

// HealInput starts HealGroup. Its workflow id is the group's lock.
type HealInput struct {
	WaveID string // whose record it is
	Group  patch.Group
	Policy patch.Policy
	Heal   Heal
}

// HealGroup puts back what a dead wave left of a group, and closes; no orders are needed.
func HealGroup(ctx workflow.Context, in HealInput) (*End, error) {
	if err := run.ChildOf(ctx, "Reconcile,", names.ReconcileID); err != nil {
		return nil, err
	}
	g := newGroup(Input{WaveID: in.WaveID, Group: in.Group, Policy: in.Policy})
	return g.alone(ctx, func(ctx workflow.Context) { g.heal(ctx, in.Heal) })
}

// heal puts the instances back, one at a time, then gives the group's room back and takes its mark off. While an
// instance is left the group keeps its room: without it fewer would serve than promised.
func (g *group) heal(ctx workflow.Context, left Heal) {
	g.enter(ctx, patch.GroupRollingBack, "putting back what a wave left")
	clean, stop := g.undoing(ctx)
	defer stop()
	surged := 0
	if left.Record != nil {
		surged = left.Record.Intended.RaiseDesired
	}
	var suspends []string
	if left.Record != nil {
		suspends = left.Record.Intended.Suspend
	}
	stays := 0 // instances that left for good, and whose group had no room for another
	for _, heal := range left.Instances {
		record := heal.Record
		child, _ := workflow.NewDisconnectedContext(ctx)
		of := instance.Common{
			WaveID: record.WaveID, Group: record.Group, Instance: record.Instance, Policy: record.Policy, Try: record.Try,
			Ours: patch.Holdings{Surge: surged}, Suspends: suspends,
		}
		result := g.child(child, "heals "+record.Instance, of, instance.HealInstance, instance.HealInput{
			Common: of,
			Heal:   heal,
		})
		if result.NoRoomForAnother {
			stays++
		}
		g.status.Instances = append(g.status.Instances, result)
		g.status.Stranded = append(g.status.Stranded, result.Stranded...)
		workflow.SetCurrentDetails(ctx, g.details(ctx))
	}
	if left.Record != nil {
		g.healRoom(clean, left, stays)
	}
	g.enter(ctx, patch.GroupDone, "")
}

// healRoom gives back the room that the group's record tells of, and takes the group's mark off. Where an instance has
// left for good and others have left no room for another, what was launched for room stays in its place.
func (g *group) healRoom(ctx workflow.Context, heal Heal, stays int) {
	read, err := run.ReadRecord(ctx, run.RecordOf(g.in.WaveID, g.in.Group, ""))
	switch {
	case err != nil:
		g.strand("its record cannot be read: "+run.Reason(err), "run `patchtide reconcile` again")
		return
	case read.Record == nil:
		g.strand(read.Untrusted, "run `patchtide reconcile` again")
		return
	}
	record := *read.Record
	if len(g.status.Stranded) > 0 {
		g.endRecord(ctx)
		g.strand("it keeps its mark and its room while an instance of it is left as it is",
			"mend the instance, then run `patchtide reconcile` again")
		return
	}
	if record.Ended {
		heal.Raises = nil
	}
	if record.Intended.RaiseDesired > 0 && !record.Ended {
		var now patch.GroupState
		err := undo.Act(run.Undoing(ctx, g.in.Group, g.in.Policy.Timing), aws.InspectGroup,
			activities.InspectGroupInput{Group: g.in.Group, Targets: []string{}}, &now)
		switch {
		case run.IsType(err, activities.ErrGroupNotFound):
			return
		case err != nil:
			g.strand("it cannot be read: "+run.Reason(err), "run `patchtide reconcile` again")
			return
		}
		left, err := roomOf(record, now)
		if err != nil {
			g.strand(err.Error(), "terminate the instance that is too many with decrement, if one is; then remove the tag "+
				names.TagJournal+" from the group")
			return
		}
		if short := stays - min(left.Stands(), len(left.Surge)); short > 0 {
			g.strand(fmt.Sprintf("it is %d short: somebody scaled it to its max while an instance was out that left for "+
				"good, and nothing that was launched for room is left; desired is %d", short, now.Desired),
				fmt.Sprintf("raise desired by %d, and max before where it is reached, if that is too few; then run `patchtide "+
					"reconcile` again", short))
		}
		left.Kept += stays
		g.status.Stranded = append(g.status.Stranded, left.GiveBack(ctx)...)
	}
	if !record.Ended {
		g.resume(ctx, record.Intended.Suspend)
		if left := record.Intended.Image; left != nil {
			g.healImage(ctx, *left)
		}
	}
	for _, raise := range heal.Raises {
		err := g.undone(ctx, aws.LowerMax, activities.MaxInput{
			Group: g.in.Group, MaxBefore: raise.MaxBefore, By: raise.By, Pace: run.Pace(g.in.Policy.Timing),
		})
		if err != nil && !run.IsType(err, activities.ErrGroupNotFound) {
			g.strand("its max is still raised: "+run.Reason(err), fmt.Sprintf("set max back to %d once desired is there again",
				raise.MaxBefore))
		}
	}
	g.endRecord(ctx)
	if len(g.status.Stranded) > 0 {
		return
	}
	err = g.undone(ctx, aws.UnmarkGroup, g.journal())
	if err != nil && !run.IsType(err, activities.ErrGroupNotFound) {
		g.strand("it still carries our tag: "+run.Reason(err), "remove the tag "+names.TagJournal+" from the group")
	}
}

// roomOf rebuilds the room that a record tells of, as far as it still stands. It refuses where nobody can tell whether
// an instance is the one that our raise launched.
func roomOf(record journal.Record, now patch.GroupState) (*room.Room, error) {
	by := record.Intended.RaiseDesired
	r := room.New(record.Group, record.Policy, record.WaveID, patch.Strategy{
		Mode: patch.CapacitySurge, AtOnce: by, RaiseMax: record.Intended.RaiseMax,
	})
	r.Record, r.Before, r.Raised, r.Surge = record, record.Before.State(), true, record.Intended.Surge
	if now.Desired <= r.Before.Desired {
		r.Kept = by // given back already, or somebody has lowered desired since: only max is left
		return r, nil
	}
	if len(r.Surge) > 0 {
		return r, nil
	}
	latest := record.At.Add(record.Policy.Timing.Surge.D())
	newcomers := patch.Newcomers(now, r.Before.IDs(), r.Before.At)
	for _, one := range newcomers[:min(len(newcomers), by)] {
		if now.Desired != r.Before.Desired+by || one.LaunchTime.After(latest) {
			return nil, fmt.Errorf("its desired is %d and was %d before we may have raised it by %d, and nobody can tell "+
				"whether %s was launched for that", now.Desired, r.Before.Desired, by, one.ID)
		}
		r.Surge = append(r.Surge, one.ID)
	}
	return r, nil
}

func (g *group) strand(state, whatToDo string) {
	g.status.Stranded = append(g.status.Stranded, patch.Stranded{
		Account: g.in.Group.Account.Name, Region: g.in.Group.Region, Resource: "auto scaling group " + g.in.Group.Name(),
		State: state, WhatToDo: whatToDo,
	})
}
