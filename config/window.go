package config

import (
	"fmt"
	"regexp"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/schedule"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

// checkWindow checks a window: its form, and that its schedule can be told to Temporal.
func checkWindow(doc *strictyaml.Document, at string, w Window) {
	if w.Schedule != "" {
		expression, err := schedule.Parse(w.Schedule)
		switch {
		case err != nil:
			doc.Problem(at+".schedule", "%v", err)
		case expression.IsRate() && w.Start == "" && !doc.Has(at+".start"):
			doc.Problem(
				at+".start",
				"is missing, and a rate() must count from some moment; write it like start: \"2026-01-04T02:00:00+09:00\"",
			)
		case !expression.IsRate() && w.Start != "":
			doc.Problem(at+".start", "belongs to rate() only; remove it")
		case expression.IsRate() && w.Duration > 0 && expression.Every() < w.Duration.D():
			doc.Problem(
				at+".duration",
				"%s is longer than the time from one opening to the next, which is %s; the window would never close", w.Duration,
				expression.Every(),
			)
		}
	}
	if w.Start != "" {
		start, err := time.Parse(time.RFC3339, w.Start)
		switch {
		case err != nil:
			doc.Problem(at+".start", "%q is no moment in RFC 3339; write it like start: \"2026-01-04T02:00:00+09:00\"", w.Start)
		case start.Nanosecond() != 0:
			doc.Problem(at+".start", "%q has fractions of a second, which Temporal's schedules do not; leave them out", w.Start)
		}
	}
	if w.TimeZone != "" {
		// "Local" would mean the worker's own zone, which is nobody's intention.
		if _, err := time.LoadLocation(w.TimeZone); err != nil || w.TimeZone == "Local" {
			doc.Problem(at+".time_zone", "%q is no time zone's IANA name; write it like time_zone: Asia/Tokyo", w.TimeZone)
		}
	}
	switch open := w.Duration - w.Cutoff; {
	case w.Duration > 0 && open <= 0:
		doc.Problem(at+".cutoff", "%s leaves nothing of a window of %s; make it shorter", w.Cutoff, w.Duration)
	case w.Duration > 0 && w.Jitter >= open:
		doc.Problem(at+".jitter", "%s may leave nothing of the %s before the cutoff; make it shorter", w.Jitter, open)
	}
	for i, name := range w.ChangeCalendars {
		if name != "" && !calendar.MatchString(name) {
			doc.Problem(
				fmt.Sprintf("%s.change_calendars[%d]", at, i),
				"is no Change Calendar's name or ARN; write it like arn:aws:ssm:ap-northeast-1:111122223333:document/business-days",
			)
		}
	}
}

// calendar is the name of an SSM document, or its ARN: API reference of CreateDocument and GetCalendarState.
var calendar = regexp.MustCompile(`^(arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:document/)?[A-Za-z0-9_.-]{3,128}$`)

// Window is the window of a plan that is open at a moment and still starts instances, or else the next one. It is nil
// for a plan without a window, which may be patched at any time. A schedule that never opens again is an error: nil
// would mean any time.
func (c *Config) Window(plan string, at time.Time) (*patch.Window, error) {
	windows, found, err := c.Windows(plan)
	if err != nil || !found {
		return nil, err
	}
	window := windows.At(at)
	if window == nil {
		return nil, fmt.Errorf(
			"the window of plan %s never opens after %s; change its schedule in %s", plan, at.UTC().Format(time.RFC3339), c.File,
		)
	}
	return window, nil
}

// Windows is a plan's window with its schedule, and whether it has one.
func (c *Config) Windows(name string) (windows schedule.Window, found bool, err error) {
	for _, plan := range c.Plans {
		if plan.Name != name {
			continue
		}
		if plan.Window == nil {
			return windows, false, nil
		}
		windows, err = plan.Window.resolve()
		return windows, err == nil, err
	}
	return windows, false, c.unknownPlan(name)
}

// resolve reads what Parse has checked.
func (w *Window) resolve() (schedule.Window, error) {
	expression, err := schedule.Parse(w.Schedule)
	if err != nil {
		return schedule.Window{}, err
	}
	zone, err := time.LoadLocation(w.TimeZone)
	if err != nil {
		return schedule.Window{}, fmt.Errorf("time zone %s: %w", w.TimeZone, err)
	}
	var start time.Time
	if w.Start != "" {
		if start, err = time.Parse(time.RFC3339, w.Start); err != nil {
			return schedule.Window{}, fmt.Errorf("start %s: %w", w.Start, err)
		}
	}
	return schedule.Window{
		Schedule: expression.In(zone, start), Duration: w.Duration.D(), Cutoff: w.Cutoff.D(), Jitter: w.Jitter.D(),
	}, nil
}
