package windows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
)

// Keeper keeps the schedules of one namespace, which belongs to one configuration.
type Keeper struct {
	Schedules client.ScheduleClient
}

// What was, or with a dry run would be, done to a schedule.
const (
	Unchanged = "unchanged"
	Created   = "created"
	Changed   = "changed"
	Removed   = "removed"
)

// Change is one schedule after a sync.
type Change struct {
	Plan        string       `json:"plan"`
	Schedule    string       `json:"schedule"`
	Done        string       `json:"done"`
	Differences []Difference `json:"differences,omitempty"`
}

// NotOursError is a schedule with an id of ours that starts something else: nobody but a person may say what it is for.
type NotOursError struct{ ID, Starts string }

func (e *NotOursError) Error() string {
	return fmt.Sprintf("the schedule %s starts %s and is none of ours; delete or rename it in the Temporal UI, then sync again", e.ID, e.Starts)
}

// Sync makes the schedules equal to the plans: it creates, mends, and removes those of ours whose plan has no window any
// more. Whether one is paused stays as it is. With dryRun it only tells. A repeated sync changes nothing.
func (k Keeper) Sync(ctx context.Context, plans []Plan, dryRun bool) ([]Change, error) {
	changes := []Change{}
	var wanted []string
	for _, plan := range plans {
		wanted = append(wanted, names.WindowSchedule(plan.Name))
		change, err := k.syncOne(ctx, plan, dryRun)
		if err != nil {
			return changes, err
		}
		changes = append(changes, *change)
	}
	ours, err := k.ours(ctx)
	if err != nil {
		return changes, err
	}
	for _, id := range ours {
		if slices.Contains(wanted, id) {
			continue
		}
		removed, err := k.remove(ctx, id, dryRun)
		if err != nil {
			return changes, err
		}
		if removed {
			changes = append(changes, Change{Plan: names.PlanOfSchedule(id), Schedule: id, Done: Removed})
		}
	}
	return changes, nil
}

func (k Keeper) syncOne(ctx context.Context, plan Plan, dryRun bool) (*Change, error) {
	change := &Change{Plan: plan.Name, Schedule: names.WindowSchedule(plan.Name), Done: Unchanged}
	should := plan.wanted()
	handle := k.Schedules.GetHandle(ctx, change.Schedule)
	found, err := describe(ctx, handle)
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		change.Done = Created
		if dryRun {
			return change, nil
		}
		_, err := k.Schedules.Create(ctx, client.ScheduleOptions{
			ID: change.Schedule, Spec: *should.Spec, Action: should.Action, Overlap: should.Policy.Overlap,
			CatchupWindow: should.Policy.CatchupWindow, PauseOnFailure: should.Policy.PauseOnFailure,
		})
		if err != nil {
			return nil, fmt.Errorf("create the schedule %s: %w", change.Schedule, err)
		}
		return change, nil
	}
	if err := mayTouch(change.Schedule, found.Schedule); err != nil {
		return nil, err
	}
	if change.Differences = differences(found.Schedule, should); len(change.Differences) == 0 {
		return change, nil
	}
	change.Done = Changed
	if dryRun {
		return change, nil
	}
	err = handle.Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		if err := mayTouch(change.Schedule, in.Description.Schedule); err != nil {
			return nil, err
		}
		mended := should
		mended.State = &client.ScheduleState{}
		if state := in.Description.Schedule.State; state != nil {
			mended.State.Paused, mended.State.Note = state.Paused, state.Note
		}
		return &client.ScheduleUpdate{Schedule: &mended}, nil
	}})
	if err != nil {
		return nil, fmt.Errorf("change the schedule %s: %w", change.Schedule, err)
	}
	return change, nil
}

// remove deletes a schedule of ours; one that is gone, or turns out to be none of ours, is left alone.
func (k Keeper) remove(ctx context.Context, id string, dryRun bool) (bool, error) {
	handle := k.Schedules.GetHandle(ctx, id)
	found, err := describe(ctx, handle)
	if err != nil || found == nil || mayTouch(id, found.Schedule) != nil {
		return false, err
	}
	if dryRun {
		return true, nil
	}
	if err := handle.Delete(ctx); err != nil && !isNotFound(err) {
		return false, fmt.Errorf("remove the schedule %s: %w", id, err)
	}
	return true, nil
}

// ours lists the ids of schedules that may be ours, sorted. The list may lag behind by a moment; each is looked at again.
func (k Keeper) ours(ctx context.Context) ([]string, error) {
	list, err := k.Schedules.List(ctx, client.ScheduleListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list Temporal's schedules: %w", err)
	}
	var ids []string
	for list.HasNext() {
		entry, err := list.Next()
		if err != nil {
			return nil, fmt.Errorf("list Temporal's schedules: %w", err)
		}
		if strings.HasPrefix(entry.ID, names.WindowSchedule("")) {
			ids = append(ids, entry.ID)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// mayTouch refuses a schedule that starts something else than our workflow.
func mayTouch(id string, found client.Schedule) error {
	action, isWorkflow := found.Action.(*client.ScheduleWorkflowAction)
	if !isWorkflow || action.Workflow != names.OpenWindow {
		return &NotOursError{ID: id, Starts: starts(found.Action)}
	}
	return nil
}

// describe is nil for a schedule that does not exist.
func describe(ctx context.Context, handle client.ScheduleHandle) (*client.ScheduleDescription, error) {
	found, err := handle.Describe(ctx)
	switch {
	case err == nil:
		return found, nil
	case isNotFound(err):
		return nil, nil
	}
	return nil, fmt.Errorf("look at the schedule %s: %w", handle.GetID(), err)
}

func isNotFound(err error) bool {
	var missing *serviceerror.NotFound
	return errors.As(err, &missing)
}
