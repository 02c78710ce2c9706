package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// room is one instance more than the group had, for as long as somebody of it is out of service.
type room struct {
	group    patch.Group
	policy   Policy
	waveID   string
	strategy patch.Strategy

	record Record // what the journal holds of it
	before patch.GroupState
	raised bool   // desired may have been raised
	surge  string // the instance launched for it; "" until it is known
	unsure bool   // the raise failed, and may have had its effect

	dropped bool // desired is back already, or stays as it is; only max may still be raised
}

func newRoom(group patch.Group, policy Policy, waveID string, strategy patch.Strategy) *room {
	return &room{group: group, policy: policy, waveID: waveID, strategy: strategy}
}

// journal writes the group's numbers and what is about to be raised.
func (r *room) journal(ctx workflow.Context, before patch.GroupState) error {
	r.before = before
	r.record = groupRecord(r.waveID, r.group, r.policy, before)
	r.record.Intended = Intended{RaiseDesired: true, RaiseMax: r.strategy.RaiseMax, MaxBefore: before.Max}
	return r.record.write(ctx)
}

// make raises max if needed and desired by one, and waits for the new instance to be healthy; it has been journalled. options
// are those of the acts: going forward or putting back.
func (r *room) make(ctx workflow.Context, options workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	before := r.before
	r.raised = true
	var raised activities.Raised
	if err := workflow.ExecuteActivity(options, aws.RaiseDesired, activities.RaiseInput{
		Group: r.group, DesiredBefore: before.Desired, MaxBefore: before.Max, RaiseMax: r.strategy.RaiseMax, Pace: pace(r.policy.Timing),
	}).Get(clean, &raised); err != nil {
		r.unsure = true
		if activities.NothingDone(err) && tellsWhose(ctx) {
			r.raised, r.unsure, r.record.Intended = false, false, Intended{}
			_ = r.record.write(clean) // it failed already; the mark that leads to the record comes off, too
		}
		return err
	}
	if raised.MaxTheirs && tellsWhose(ctx) {
		r.strategy.RaiseMax, r.record.Intended.RaiseMax, r.record.Intended.MaxBefore = false, false, 0
		if err := r.record.write(clean); err != nil {
			return err
		}
	}
	var fresh activities.SurgeInstance
	t := r.policy.Timing
	if err := workflow.ExecuteActivity(waiting(ctx, r.group, t, t.Surge), aws.AwaitSurge, activities.AwaitSurgeInput{
		Group: r.group, Known: memberIDs(before), Pace: pace(t),
	}).Get(ctx, &fresh); err != nil {
		return err
	}
	r.surge = fresh.ID
	r.record.Intended.Surge = fresh.ID
	if !journalsAll(ctx) {
		return nil
	}
	return r.record.write(clean)
}

// tellsWhose tells a run that asks whether a raise is ours. One that began before took all for ours.
func tellsWhose(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "raise-tells-whose", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// giveBack terminates exactly the surge instance, then lowers max. It tells what it had to leave.
func (r *room) giveBack(ctx workflow.Context) []patch.Stranded {
	if !r.raised {
		return nil
	}
	options := undoing(ctx, r.group, r.policy.Timing)
	if r.unsure || !r.dropped && r.surge == "" {
		outwaitLag(ctx, r.policy.Timing) // nor may the instance be listed yet that a raise has just launched
	}
	var err error
	if !r.dropped {
		err = r.drop(ctx, options)
	}
	if err == nil && r.strategy.RaiseMax {
		err = workflow.ExecuteActivity(options, aws.LowerMax, activities.MaxInput{Group: r.group, MaxBefore: r.before.Max, Pace: pace(r.policy.Timing)}).Get(ctx, nil)
	}
	if err == nil || isType(err, activities.ErrGroupNotFound) {
		r.raised = false
		return nil
	}
	return []patch.Stranded{{
		Account: r.group.Account.Name, Region: r.group.Region, Resource: "auto scaling group " + r.group.Name(),
		State:    "its capacity is still raised: " + reason(err),
		WhatToDo: fmt.Sprintf("terminate %s with decrement, then set max back to %d", orUnknown(r.surge), r.before.Max),
	}}
}

// drop terminates the surge instance with decrement.
func (r *room) drop(ctx, options workflow.Context) error {
	if r.surge == "" {
		r.surge = r.launched(ctx, options)
	}
	return workflow.ExecuteActivity(options, aws.TerminateSurgeInstance, activities.TerminateSurgeInstanceInput{
		Group: r.group, ID: r.surge, DesiredBefore: r.before.Desired, Pace: pace(r.policy.Timing),
	}).Get(ctx, nil)
}

// launched finds the instance that our raise launched when the wait for it was cut: of the members that were not there before,
// the one launched first. "" when there is none, or when nobody can tell whether desired is raised by us.
func (r *room) launched(ctx, options workflow.Context) string {
	var now patch.GroupState
	if err := workflow.ExecuteActivity(options, aws.InspectGroup, activities.InspectGroupInput{Group: r.group}).Get(ctx, &now); err != nil {
		return ""
	}
	if r.unsure && now.Desired != r.before.Desired+1 {
		return "" // a newcomer stands for what somebody else did
	}
	return patch.FirstNewcomer(now, memberIDs(r.before))
}

func memberIDs(state patch.GroupState) []string {
	ids := make([]string, 0, len(state.Members))
	for _, member := range state.Members {
		ids = append(ids, member.ID)
	}
	return ids
}

func orUnknown(id string) string {
	if id == "" {
		return "the newest instance"
	}
	return id
}
