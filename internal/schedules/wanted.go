package schedules

import (
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/schedule"
	"github.com/patchtide/patchtide/workflows"
)

// Plan is a plan that has windows. Each of them has a schedule of its own, for each has a time zone.
type Plan struct {
	Name    string
	Windows schedule.Windows
}

// opener is one window of a plan.
type opener struct {
	plan   Plan
	number int // its place in the file, from 1
}

func openers(plans []Plan) []opener {
	var all []opener
	for _, plan := range plans {
		for i := range plan.Windows.Each {
			all = append(all, opener{plan: plan, number: i + 1})
		}
	}
	return all
}

func (o opener) id() string { return names.WindowSchedule(o.plan.Name, o.number) }

func (o opener) window() schedule.Window { return o.plan.Windows.Each[o.number-1] }

// shortestCatchup is the least that Temporal takes (its dynamic configuration, worker.schedulerMinCatchupWindow).
const shortestCatchup = 10 * time.Second

// wanted is the schedule that the window should have. It opens in blackouts as well: OpenWindow then tells why no wave
// starts.
func (o opener) wanted() client.Schedule {
	window := o.window()
	return client.Schedule{
		Spec: spec(window),
		Action: &client.ScheduleWorkflowAction{
			ID: names.OpenWindowID(o.plan.Name, o.number), Workflow: names.OpenWindow, TaskQueue: names.TaskQueue,
			Args:          []any{workflows.OpenWindowRequest{Plan: o.plan.Name}},
			StaticSummary: "opens a window of plan " + o.plan.Name,
		},
		Policy: &client.SchedulePolicies{
			// A wave of the last window that still waits for somebody must not keep this one from being looked at in silence:
			// OpenWindow tells why no wave starts.
			Overlap: enums.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
			// Temporal's default is a year. What was missed is made up for while the window still starts instances, and jitter
			// comes on top.
			CatchupWindow: max(window.Duration-window.Cutoff-window.Jitter, shortestCatchup),
			// A wave that failed is no reason to leave the next window out.
			PauseOnFailure: false,
		},
		State: &client.ScheduleState{},
	}
}

// spec says a window's openings in Temporal's terms.
func spec(w schedule.Window) *client.ScheduleSpec {
	s := &client.ScheduleSpec{TimeZoneName: w.Zone().String(), Jitter: w.Jitter}
	if w.IsRate() {
		// Temporal counts intervals from the epoch: the offset makes them count from the start.
		since := time.Duration(w.Start().Unix()%int64(w.Every()/time.Second)) * time.Second
		s.Intervals = []client.ScheduleIntervalSpec{{Every: w.Every(), Offset: since}}
		s.StartAt = w.Start()
	}
	for _, c := range w.Calendars() {
		s.Calendars = append(s.Calendars, client.ScheduleCalendarSpec{
			Second: []client.ScheduleRange{{Start: 0, End: 0, Step: 1}},
			Minute: ranges(c.Minute, 0, 59), Hour: ranges(c.Hour, 0, 23),
			DayOfMonth: ranges(c.DayOfMonth, 1, 31), Month: ranges(c.Month, 1, 12), DayOfWeek: ranges(c.DayOfWeek, 0, 6),
			Year: ranges(c.Year, 0, 0),
		})
	}
	return s
}

// ranges writes every value out where there is no choice, as Temporal does; of years it takes none for all.
func ranges(from []schedule.Range, low, high int) []client.ScheduleRange {
	if from == nil && high > low {
		return []client.ScheduleRange{{Start: low, End: high, Step: 1}}
	}
	var all []client.ScheduleRange
	for _, r := range from {
		all = append(all, client.ScheduleRange{Start: r.Start, End: r.End, Step: r.Step})
	}
	return all
}
