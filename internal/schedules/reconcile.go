package schedules

import (
	"context"
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

// Reconcile keeps the schedule by which Reconcile runs. Its client must have been dialled with DialOption.
type Reconcile struct {
	Schedules client.ScheduleClient
}

// ShortestReconcile keeps one reconciliation from chasing the next: nothing is healed before it is fifteen minutes old.
const ShortestReconcile = 15 * time.Minute

// ReconcileState is where that schedule stands in Temporal.
type ReconcileState struct {
	ID      string      `json:"id"`
	Exists  bool        `json:"exists"`
	Every   string      `json:"every,omitempty"`
	Paused  bool        `json:"paused"`
	Note    string      `json:"note,omitempty"`
	Next    []time.Time `json:"next"`    // the next runs; none while it is paused
	Recent  []string    `json:"recent"`  // workflow ids of the last runs, oldest first
	Skipped int         `json:"skipped"` // runs that were due while one was under way
	Missed  int         `json:"missed"`  // runs that came too late to be made up for
}

// Set makes the schedule, or gives the one there is the interval; one that is paused stays so. A run that is due while
// one is under way is skipped, and no run is made up for that was missed for longer than the interval: one that comes
// then does all of it. note says who did it and why.
func (r Reconcile) Set(ctx context.Context, every time.Duration, note string) error {
	if every < ShortestReconcile {
		return fmt.Errorf("every %s is shorter than %s, before which nothing is healed", every, ShortestReconcile)
	}
	spec := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}}
	_, err := r.Schedules.Create(ctx, client.ScheduleOptions{
		ID: names.ReconcileID, Spec: spec, Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: every, Note: note,
		Action: &client.ScheduleWorkflowAction{
			ID: names.ReconcileID, Workflow: names.Reconcile, TaskQueue: names.TaskQueue,
			StaticSummary: "by the schedule " + names.ReconcileID,
			Args:          []any{workflows.ReconcileRequest{Actor: "patchtide", Reason: "the schedule " + names.ReconcileID}},
		},
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return told(err)
	}
	return told(update(ctx, r.handle(ctx), func(now client.Schedule) (*client.Schedule, error) {
		is, policy := now.Spec.Intervals, now.Policy
		if len(is) == 1 && is[0] == spec.Intervals[0] &&
			policy.Overlap == enums.SCHEDULE_OVERLAP_POLICY_SKIP && policy.CatchupWindow == every {
			return nil, nil
		}
		now.Spec = &spec
		policy.Overlap, policy.CatchupWindow = enums.SCHEDULE_OVERLAP_POLICY_SKIP, every
		return &now, nil
	}))
}

// Pause holds the schedule.
func (r Reconcile) Pause(ctx context.Context, note string) error {
	return told(r.handle(ctx).Pause(ctx, client.SchedulePauseOptions{Note: note}))
}

// Resume lets it go on.
func (r Reconcile) Resume(ctx context.Context, note string) error {
	return told(r.handle(ctx).Unpause(ctx, client.ScheduleUnpauseOptions{Note: note}))
}

// Delete takes it away; one that is not there is no error.
func (r Reconcile) Delete(ctx context.Context) error {
	err := r.handle(ctx).Delete(ctx)
	if isNotFound(err) {
		return nil
	}
	return told(err)
}

// Read reads the schedule; one that is not there does not exist.
func (r Reconcile) Read(ctx context.Context) (*ReconcileState, error) {
	read := &ReconcileState{ID: names.ReconcileID, Next: []time.Time{}, Recent: []string{}}
	described, err := r.handle(ctx).Describe(ctx)
	if isNotFound(err) {
		return read, nil
	}
	if err != nil {
		return nil, told(err)
	}
	read.Exists, read.Paused, read.Note = true, described.Schedule.State.Paused, described.Schedule.State.Note
	for _, interval := range described.Schedule.Spec.Intervals {
		read.Every = interval.Every.String()
	}
	for _, run := range described.Info.RecentActions {
		if run.StartWorkflowResult != nil {
			read.Recent = append(read.Recent, run.StartWorkflowResult.WorkflowID)
		}
	}
	if !read.Paused {
		read.Next = append(read.Next, described.Info.NextActionTimes[:min(len(described.Info.NextActionTimes), 3)]...)
	}
	read.Skipped, read.Missed = described.Info.NumActionsSkippedOverlap, described.Info.NumActionsMissedCatchupWindow
	return read, nil
}

func (r Reconcile) handle(ctx context.Context) client.ScheduleHandle {
	return r.Schedules.GetHandle(ctx, names.ReconcileID)
}

// told says of an error what it was about.
func told(err error) error {
	switch {
	case err == nil:
		return nil
	case isNotFound(err):
		return fmt.Errorf("there is no schedule %s; make it with `patchtide reconcile schedule --every 1h`",
			names.ReconcileID)
	}
	return fmt.Errorf("schedule %s: %w", names.ReconcileID, err)
}
