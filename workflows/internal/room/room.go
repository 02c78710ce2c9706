// Package room is one instance more than a group had, for as long as one of it is out of service.
package room

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// Room is one instance more than the group had, for as long as somebody of it is out of service.
type Room struct {
	group    patch.Group
	policy   patch.Policy
	waveID   string
	Strategy patch.Strategy
	Suspends []string // processes that the group has suspended: its record tells of both

	Record journal.Record // what the journal holds of it
	Before patch.GroupState
	Raised bool   // desired may have been raised
	Surge  string // the instance launched for it; "" until it is known
	unsure bool   // the raise failed, and may have had its effect

	Dropped bool // desired is back already, or stays as it is; only max may still be raised
}

// New is room that has not been made yet.
func New(group patch.Group, policy patch.Policy, waveID string, strategy patch.Strategy) *Room {
	return &Room{group: group, policy: policy, waveID: waveID, Strategy: strategy}
}

// Journal writes the group's numbers and what is about to be raised.
func (r *Room) Journal(ctx workflow.Context, before patch.GroupState) error {
	r.Before = before
	r.Record = journal.OfGroup(r.waveID, r.group, r.policy, before)
	r.Record.Intended = journal.Intended{
		RaiseDesired: true, RaiseMax: r.Strategy.RaiseMax, MaxBefore: before.Max, Suspend: r.Suspends,
	}
	return run.WriteRecord(ctx, &r.Record)
}

// Make raises max if needed and desired by one, and waits for the new instance to be healthy; it has been journalled.
// options are those of the acts: going forward or putting back.
func (r *Room) Make(ctx workflow.Context, options workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	before := r.Before
	r.Raised = true
	var raised activities.Raised
	if err := undo.Act(options, aws.RaiseDesired, activities.RaiseInput{
		Group: r.group, DesiredBefore: before.Desired, MaxBefore: before.Max, RaiseMax: r.Strategy.RaiseMax,
		Pace: run.Pace(r.policy.Timing),
	}, &raised); err != nil {
		r.unsure = true
		if activities.NothingDone(err) {
			r.Raised, r.unsure, r.Record.Intended = false, false, journal.Intended{Suspend: r.Suspends}
			_ = run.WriteRecord(clean, &r.Record) // it failed already; the mark that leads to the record comes off, too
		}
		return err
	}
	if raised.MaxTheirs {
		r.Strategy.RaiseMax, r.Record.Intended.RaiseMax, r.Record.Intended.MaxBefore = false, false, 0
		if err := run.WriteRecord(clean, &r.Record); err != nil {
			return err
		}
	}
	var fresh activities.SurgeInstance
	t := r.policy.Timing
	if err := workflow.ExecuteActivity(run.Waiting(ctx, r.group, t, t.Surge), aws.AwaitSurge, activities.AwaitSurgeInput{
		Group: r.group, Known: before.IDs(), Since: before.At, Pace: run.Pace(t),
	}).Get(ctx, &fresh); err != nil {
		return err
	}
	r.Surge = fresh.ID
	r.Record.Intended.Surge = fresh.ID
	return run.WriteRecord(clean, &r.Record)
}

// GiveBack terminates exactly the surge instance, then lowers max. It tells what it had to leave.
func (r *Room) GiveBack(ctx workflow.Context) []patch.Stranded {
	if !r.Raised {
		return nil
	}
	options := run.Undoing(ctx, r.group, r.policy.Timing)
	if r.unsure || !r.Dropped && r.Surge == "" {
		run.OutwaitLag(ctx, r.policy.Timing) // nor may the instance be listed yet that a raise has just launched
	}
	var err error
	if !r.Dropped {
		err = r.drop(options)
	}
	if err == nil && r.Strategy.RaiseMax {
		err = undo.Act(options, aws.LowerMax, activities.MaxInput{
			Group: r.group, MaxBefore: r.Before.Max, Pace: run.Pace(r.policy.Timing),
		}, nil)
	}
	if err == nil || run.IsType(err, activities.ErrGroupNotFound) {
		r.Raised = false
		return nil
	}
	return []patch.Stranded{{
		Account: r.group.Account.Name, Region: r.group.Region, Resource: "auto scaling group " + r.group.Name(),
		State:    "its capacity is still raised: " + run.Reason(err),
		WhatToDo: fmt.Sprintf("terminate %s with decrement, then set max back to %d", orUnknown(r.Surge), r.Before.Max),
	}}
}

// drop terminates the surge instance with decrement.
func (r *Room) drop(options workflow.Context) error {
	if r.Surge == "" {
		r.Surge = r.launched(options)
	}
	return undo.Act(options, aws.TerminateSurgeInstance, activities.TerminateSurgeInstanceInput{
		Group: r.group, ID: r.Surge, DesiredBefore: r.Before.Desired, Pace: run.Pace(r.policy.Timing),
	}, nil)
}

// launched finds the instance that our raise launched when the wait for it was cut: of the members launched since, the
// first. "" when there is none, or when nobody can tell whether desired is raised by us.
func (r *Room) launched(options workflow.Context) string {
	var now patch.GroupState
	if err := undo.Act(options, aws.InspectGroup, activities.InspectGroupInput{
		Group: r.group, Targets: []string{},
	}, &now); err != nil {
		return ""
	}
	if r.unsure && now.Desired != r.Before.Desired+1 {
		return "" // a newcomer stands for what somebody else did
	}
	return patch.FirstNewcomer(now, r.Before.IDs(), r.Before.At)
}

func orUnknown(id string) string {
	if id == "" {
		return "the newest instance"
	}
	return id
}
