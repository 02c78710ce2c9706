// Package room is what is launched beside a group's instances, for as long as some of it are out of service.
package room

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// Room is as many instances more than the group had as may be out of it at once: see patch.Strategy.Launches.
type Room struct {
	group    patch.Group
	policy   patch.Policy
	waveID   string
	Strategy patch.Strategy
	Suspends []string // processes that the group has suspended: its record tells of both

	Record journal.Record // what the journal holds of it
	Before patch.GroupState
	Raised bool     // desired may have been raised
	Surge  []string // the instances launched for it; nil until they are known
	unsure bool     // the raise failed, and may have had its effect

	// Kept is how many of it are given back already, or stay: in the place of instances that left for good. Where all are
	// only max may still be raised.
	Kept int
}

// New is room that has not been made yet.
func New(group patch.Group, policy patch.Policy, waveID string, strategy patch.Strategy) *Room {
	return &Room{group: group, policy: policy, waveID: waveID, Strategy: strategy}
}

// Stands is how many more than the group had it has because of the room.
func (r *Room) Stands() int {
	if !r.Raised {
		return 0
	}
	return max(r.Strategy.Launches()-r.Kept, 0)
}

// Journal writes the group's numbers and what is about to be raised.
func (r *Room) Journal(ctx workflow.Context, before patch.GroupState) error {
	r.Before = before
	r.Record = journal.OfGroup(r.waveID, r.group, r.policy, before)
	r.Record.Intended = journal.Intended{
		RaiseDesired: r.Strategy.Launches(), RaiseMax: r.Strategy.RaiseMax, MaxBefore: before.Max, Suspend: r.Suspends,
	}
	return run.WriteRecord(ctx, &r.Record)
}

// Make raises max if needed and desired, and waits for the new instances to be healthy; it has been journalled. options
// are those of the acts: going forward or putting back.
func (r *Room) Make(ctx workflow.Context, options workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	before := r.Before
	r.Raised = true
	var raised activities.Raised
	if err := undo.Act(options, aws.RaiseDesired, activities.RaiseInput{
		Group: r.group, DesiredBefore: before.Desired, By: r.Strategy.Launches(), MaxBefore: before.Max,
		RaiseMax: r.Strategy.RaiseMax, Pace: run.Pace(r.policy.Timing),
	}, &raised); err != nil {
		r.unsure = true
		if activities.NothingDone(err) {
			r.Raised, r.unsure, r.Record.Intended = false, false, journal.Intended{Suspend: r.Suspends}
			_ = run.WriteRecord(clean, &r.Record) // it failed already; the mark that leads to the record comes off, too
		}
		return err
	}
	if raised.MaxTheirs {
		r.Strategy.RaiseMax, r.Record.Intended.RaiseMax, r.Record.Intended.MaxBefore = 0, 0, 0
		if err := run.WriteRecord(clean, &r.Record); err != nil {
			return err
		}
	}
	var fresh activities.SurgeInstances
	t := r.policy.Timing
	if err := workflow.ExecuteActivity(run.Waiting(ctx, r.group, t, t.Surge), aws.AwaitSurge, activities.AwaitSurgeInput{
		Group: r.group, Known: before.IDs(), Since: before.At, By: r.Strategy.Launches(), Pace: run.Pace(t),
	}).Get(ctx, &fresh); err != nil {
		return err
	}
	r.Surge = fresh.IDs
	r.Record.Intended.Surge = fresh.IDs
	return run.WriteRecord(clean, &r.Record)
}

// GiveBack terminates exactly the surge instances, but for those that are kept, then lowers max. It tells what it had
// to leave.
func (r *Room) GiveBack(ctx workflow.Context) []patch.Stranded {
	if !r.Raised {
		return nil
	}
	options := run.Undoing(ctx, r.group, r.policy.Timing)
	if r.unsure || r.Stands() > 0 && len(r.Surge) == 0 {
		run.OutwaitLag(ctx, r.policy.Timing) // nor may the instance be listed yet that a raise has just launched
	}
	left, err := r.drop(options)
	if err == nil && r.Strategy.RaiseMax > 0 {
		err = undo.Act(options, aws.LowerMax, activities.MaxInput{
			Group: r.group, MaxBefore: r.Before.Max, By: r.Strategy.RaiseMax, Pace: run.Pace(r.policy.Timing),
		}, nil)
	}
	if err == nil || run.IsType(err, activities.ErrGroupNotFound) {
		r.Raised = false
		return nil
	}
	return []patch.Stranded{{
		Account: r.group.Account.Name, Region: r.group.Region, Resource: "auto scaling group " + r.group.Name(),
		State: "its capacity is still raised: " + run.Reason(err),
		WhatToDo: fmt.Sprintf("terminate %s with decrement, then set max back to %d", orUnknown(left, r.Surge),
			r.Before.Max),
	}}
}

// drop terminates the surge instances with decrement, and returns those that it could not. Those of which nobody learnt
// the id come first: desired is lowered before Auto Scaling launches for it.
func (r *Room) drop(options workflow.Context) (left []string, failed error) {
	stands := r.Stands()
	if stands == 0 {
		return nil, nil
	}
	if len(r.Surge) == 0 {
		r.Surge = r.launched(options)
	}
	drop := func(id string, by, after int) error {
		err := undo.Act(options, aws.TerminateSurgeInstance, activities.TerminateSurgeInstanceInput{
			Group: r.group, ID: id, DesiredBefore: r.Before.Desired + r.Kept + after, By: by, Pace: run.Pace(r.policy.Timing),
		}, nil)
		if err != nil && failed == nil {
			failed = err
		}
		return err
	}
	known := r.Surge[:min(len(r.Surge), stands)]
	if stands > len(known) && run.IsType(drop("", stands-len(known), len(known)), activities.ErrRejected) {
		// It is doubted for a while that nobody stands for it, and Auto Scaling may have launched by then.
		if late := patch.Except(r.launched(options), known); len(late) > 0 {
			r.Surge, failed = slices.Concat(known, late), nil
			known = r.Surge[:min(len(r.Surge), stands)]
			if stands > len(known) {
				_ = drop("", stands-len(known), len(known)) // kept in failed
			}
		}
	}
	if failed != nil {
		left = slices.Repeat([]string{""}, stands-len(known))
	}
	for k, id := range known {
		if drop(id, 1, len(known)-1-k) != nil {
			left = append(left, id)
		}
	}
	return left, failed
}

// launched finds the instances that our raise launched when the wait for them was cut: of the members launched since,
// the first. None when there is none, or when nobody can tell whether desired is raised by us.
func (r *Room) launched(options workflow.Context) (ids []string) {
	var now patch.GroupState
	if err := undo.Act(options, aws.InspectGroup, activities.InspectGroupInput{
		Group: r.group, Targets: []string{},
	}, &now); err != nil {
		return nil
	}
	by := r.Strategy.Launches()
	if r.unsure && now.Desired != r.Before.Desired+by {
		return nil // a newcomer stands for what somebody else did
	}
	newcomers := patch.Newcomers(now, r.Before.IDs(), r.Before.At)
	for _, one := range newcomers[:min(len(newcomers), by)] {
		ids = append(ids, one.ID)
	}
	return ids
}

// orUnknown names the instances that are left, or, where only max is, all.
func orUnknown(left, all []string) string {
	if len(left) == 0 {
		left = all
	}
	named := slices.DeleteFunc(slices.Clone(left), func(id string) bool { return id == "" })
	switch more := len(left) - len(named); {
	case len(left) == 0, len(named) == 0 && more == 1:
		return "the newest instance"
	case more > 0:
		named = append(named, fmt.Sprintf("the newest %d more", more))
	}
	return strings.Join(named, ", ")
}
