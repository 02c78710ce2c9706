package schedules

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
)

// State is where a plan's schedule stands in Temporal.
type State struct {
	Plan     string `json:"plan"`
	Window   int    `json:"window,omitempty"` // its place among the plan's windows, from 1; 0: it has none
	Of       int    `json:"of,omitempty"`     // so many windows has the plan
	Schedule string `json:"schedule"`
	Exists   bool   `json:"exists"`
	Paused   bool   `json:"paused"`
	Note     string `json:"note,omitempty"` // of whoever paused or resumed it last
	// Next are the next openings by Temporal, jitter included; also of one that is paused, which lets them pass.
	Next []time.Time `json:"next"`
	// Closed are those of Next that start no wave by the file, and why: blackouts.
	Closed []Closed `json:"closed,omitempty"`
	Last   *Opening `json:"last,omitempty"` // the last opening that started a workflow; nil: none, or not asked for
	Missed int      `json:"missed"`         // openings that Temporal was not there for
	// Drift is how it differs from the file; `schedule sync` mends it.
	Drift []Difference `json:"drift,omitempty"`
	// Warning is what sync cannot mend.
	Warning string `json:"warning,omitempty"`
	// Orphan is a schedule of ours whose window is no more; `schedule sync` removes it.
	Orphan bool `json:"orphan,omitempty"`
}

// Closed is an opening that comes and starts no wave.
type Closed struct {
	At  time.Time `json:"at"`
	Why string    `json:"why"`
}

// InOrder reports whether there is nothing to mend.
func (s State) InOrder() bool { return s.Exists && len(s.Drift) == 0 && s.Warning == "" && !s.Orphan }

// List tells how every schedule stands, those of the plans first, by name, with what came of their last openings.
func (w Windows) List(ctx context.Context, plans []Plan, now time.Time) ([]State, error) {
	states := []State{}
	var known []string
	for _, one := range openers(plans) {
		known = append(known, one.id())
		found, err := describe(ctx, w.Schedules.GetHandle(ctx, one.id()))
		if err != nil {
			return nil, err
		}
		state := one.state(found, now)
		if found != nil {
			if state.Last, err = lastOpening(ctx, w.Workflows, found); err != nil {
				return nil, err
			}
		}
		states = append(states, state)
	}
	ours, err := w.ours(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range ours {
		if slices.Contains(known, id) {
			continue
		}
		found, err := describe(ctx, w.Schedules.GetHandle(ctx, id))
		if err != nil {
			return nil, err
		}
		if found != nil && mayTouch(id, found.Schedule) == nil {
			state := stateOf(names.PlanOfSchedule(id), id, found)
			state.Orphan = true
			if state.Last, err = lastOpening(ctx, w.Workflows, found); err != nil {
				return nil, err
			}
			states = append(states, state)
		}
	}
	return states, nil
}

func stateOf(plan, id string, found *client.ScheduleDescription) State {
	state := State{Plan: plan, Schedule: id, Next: []time.Time{}}
	if found == nil {
		return state
	}
	state.Exists, state.Missed = true, found.Info.NumActionsMissedCatchupWindow
	state.Next = append(state.Next, found.Info.NextActionTimes...)
	if found.Schedule.State != nil {
		state.Paused, state.Note = found.Schedule.State.Paused, found.Schedule.State.Note
	}
	return state
}

func (o opener) state(found *client.ScheduleDescription, now time.Time) State {
	state := stateOf(o.plan.Name, o.id(), found)
	state.Window, state.Of = o.number, len(o.plan.Windows.Each)
	state.Next = ahead(state.Next, now)
	if found == nil {
		return state
	}
	if err := mayTouch(o.id(), found.Schedule); err != nil {
		state.Warning = err.Error()
		return state
	}
	for _, at := range state.Next {
		if _, why := o.plan.Windows.Opening(o.window(), at); why != "" {
			state.Closed = append(state.Closed, Closed{At: at, Why: why})
		}
	}
	if state.Drift = differences(found.Schedule, o.wanted()); len(state.Drift) == 0 {
		state.Warning = o.disagreement(state.Next, now)
	}
	return state
}

// ahead leaves of the next openings those to come: one that was missed, while Temporal was away, stands among them
// until Temporal has acted on the schedule again.
func ahead(next []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(next, func(at time.Time) bool { return at.Before(now) })
}

// disagreement compares the times that Temporal gives with ours: the server has time zone data of its own, and rules of
// its own where the clocks change at midnight.
func (o opener) disagreement(next []time.Time, now time.Time) string {
	window, after := o.window(), now
	for _, theirs := range next {
		ours, found := window.Next(after)
		if !found || theirs.Before(ours) || theirs.After(ours.Add(window.Jitter)) {
			return fmt.Sprintf("Temporal opens it at %s, the file says %s: compare the time zone data of the server "+
				"with this machine's, and avoid times at which the clocks change",
				theirs.UTC().Format(time.RFC3339), instant(ours))
		}
		after = ours
	}
	return ""
}

// MissingError is a plan whose schedule does not exist in Temporal.
type MissingError struct{ Plan string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("there is no schedule %s in Temporal: a plan without windows has none; of one with windows, "+
		"run `patchtide schedule sync` first",
		names.WindowSchedule(e.Plan, 1))
}

// Pause keeps a plan's windows from starting waves, with a note; waves that run go on. Resume lets them again.
func (w Windows) Pause(ctx context.Context, plan, note string) error {
	return w.touch(ctx, plan, func(handle client.ScheduleHandle) error {
		return handle.Pause(ctx, client.SchedulePauseOptions{Note: note})
	})
}

// Resume lets a plan's windows start waves again, from the next opening on.
func (w Windows) Resume(ctx context.Context, plan, note string) error {
	return w.touch(ctx, plan, func(handle client.ScheduleHandle) error {
		return handle.Unpause(ctx, client.ScheduleUnpauseOptions{Note: note})
	})
}

// touch does something to the schedule of each of a plan's windows: they are numbered without a gap.
func (w Windows) touch(ctx context.Context, plan string, do func(client.ScheduleHandle) error) error {
	touched := 0
	for number := 1; ; number++ {
		id := names.WindowSchedule(plan, number)
		handle := w.Schedules.GetHandle(ctx, id)
		found, err := describe(ctx, handle)
		switch {
		case err != nil:
			return err
		case found == nil && touched == 0:
			return &MissingError{Plan: plan}
		case found == nil:
			return nil
		}
		if err := mayTouch(id, found.Schedule); err != nil {
			return err
		}
		if err := do(handle); err != nil {
			return err
		}
		touched++
	}
}
