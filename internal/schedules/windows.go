package schedules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/names"
)

// Windows keeps the schedules that open plans' windows in one namespace, which belongs to one configuration. Its client
// must have been dialled with DialOption.
type Windows struct {
	Schedules client.ScheduleClient
	// Workflows tells what came of the last openings; nil: that is not told.
	Workflows Workflows
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
	return fmt.Sprintf("the schedule %s starts %s and is none of ours; delete or rename it in the Temporal UI, "+
		"then sync again", e.ID, e.Starts)
}

// Sync makes the schedules equal to the plans: it creates, mends, and removes those of ours whose window is no more.
// Whether a plan is paused stays as it is, also for a window that it gets. With dryRun it only tells. A repeated sync
// changes nothing.
func (w Windows) Sync(ctx context.Context, plans []Plan, dryRun bool) ([]Change, error) {
	changes := []Change{}
	var wanted []string
	for _, one := range openers(plans) {
		wanted = append(wanted, one.id())
		change, err := w.syncOne(ctx, one, dryRun)
		if err != nil {
			return changes, err
		}
		changes = append(changes, *change)
	}
	ours, err := w.ours(ctx)
	if err != nil {
		return changes, err
	}
	for _, id := range ours {
		if slices.Contains(wanted, id) {
			continue
		}
		removed, err := w.remove(ctx, id, dryRun)
		if err != nil {
			return changes, err
		}
		if removed {
			changes = append(changes, Change{Plan: names.PlanOfSchedule(id), Schedule: id, Done: Removed})
		}
	}
	return changes, nil
}

// syncOne makes a plan's schedule what it should be. Whoever pauses, edits or deletes it meanwhile is not overruled
// unseen.
func (w Windows) syncOne(ctx context.Context, one opener, dryRun bool) (*Change, error) {
	change := &Change{Plan: one.plan.Name, Schedule: one.id(), Done: Unchanged}
	should := one.wanted()
	handle := w.Schedules.GetHandle(ctx, change.Schedule)
	found, err := describe(ctx, handle)
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		change.Done = Created
		if dryRun {
			return change, nil
		}
		err := w.create(ctx, one, should)
		if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			return change, err
		}
		change.Done = Unchanged // somebody else has made it meanwhile: it is mended where it differs
	case dryRun:
		err := change.compare(found.Schedule, should)
		return change, err
	}
	err = update(ctx, handle, func(now client.Schedule) (*client.Schedule, error) {
		now.State = cmp.Or(now.State, &client.ScheduleState{})
		before := *change
		if err := change.compare(now, should); err != nil || len(change.Differences) == 0 {
			change.Done, change.Differences = before.Done, before.Differences // after a change of ours: what that was
			return nil, err
		}
		mended := should
		mended.State = &client.ScheduleState{Paused: now.State.Paused, Note: now.State.Note}
		return &mended, nil
	})
	switch {
	case isNotFound(err):
		change.Done, change.Differences = Created, nil // somebody has deleted it meanwhile
		return change, w.create(ctx, one, should)
	case err != nil:
		return nil, fmt.Errorf("change the schedule %s: %w", change.Schedule, err)
	}
	return change, nil
}

// compare tells what is to be changed, or that it is not ours to change.
func (c *Change) compare(found, should client.Schedule) error {
	if err := mayTouch(c.Schedule, found); err != nil {
		return err
	}
	if c.Differences = differences(found, should); len(c.Differences) > 0 {
		c.Done = Changed
	}
	return nil
}

// create makes a window's schedule: paused where the plan's first window is, for whoever paused the plan meant all of
// it.
func (w Windows) create(ctx context.Context, one opener, should client.Schedule) error {
	id := one.id()
	if one.number > 1 {
		first, err := describe(ctx, w.Schedules.GetHandle(ctx, names.WindowSchedule(one.plan.Name, 1)))
		if err != nil {
			return err
		}
		if first != nil && first.Schedule.State != nil {
			should.State = &client.ScheduleState{Paused: first.Schedule.State.Paused, Note: first.Schedule.State.Note}
		}
	}
	_, err := w.Schedules.Create(ctx, client.ScheduleOptions{
		ID: id, Spec: *should.Spec, Action: should.Action, Overlap: should.Policy.Overlap,
		CatchupWindow: should.Policy.CatchupWindow, PauseOnFailure: should.Policy.PauseOnFailure,
		Paused: should.State.Paused, Note: should.State.Note,
	})
	if err != nil {
		return fmt.Errorf("create the schedule %s: %w", id, err)
	}
	return nil
}

// remove deletes a schedule of ours; one that is gone, or turns out to be none of ours, is left alone.
func (w Windows) remove(ctx context.Context, id string, dryRun bool) (bool, error) {
	handle := w.Schedules.GetHandle(ctx, id)
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

// ours lists the ids of schedules that may be ours, sorted. The list may lag behind by a moment; each is looked at
// again.
func (w Windows) ours(ctx context.Context) ([]string, error) {
	list, err := w.Schedules.List(ctx, client.ScheduleListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list Temporal's schedules: %w", err)
	}
	var ids []string
	for list.HasNext() {
		entry, err := list.Next()
		if err != nil {
			return nil, fmt.Errorf("list Temporal's schedules: %w", err)
		}
		if names.IsWindowSchedule(entry.ID) {
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
