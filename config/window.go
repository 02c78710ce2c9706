package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/schedule"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

// mostWindows is the most that a plan may have: each has a schedule in Temporal.
const mostWindows = 20

// checkWindows checks a plan's windows: each by itself, and that all of them together close now and then.
func checkWindows(doc *strictyaml.Document, at string, plan Plan) {
	switch {
	case doc.Has(at) && len(plan.Windows) == 0:
		doc.Problem(at, "is empty; leave it out for at any time, or write it like windows: [{schedule: %s, duration: 4h}]",
			`"cron(0 2 ? * SUN#2 *)"`)
	case len(plan.Windows) > mostWindows:
		doc.Problem(at, "has %d windows, and %d are kept; say several in one cron()", len(plan.Windows), mostWindows)
	}
	all := schedule.Windows{}
	for i, window := range plan.Windows {
		checkWindow(doc, fmt.Sprintf("%s[%d]", at, i), window)
		one, err := window.resolve()
		if err == nil && one.Duration > one.Cutoff && (!one.IsRate() || one.Every() >= one.Duration) {
			all.Each = append(all.Each, one)
		}
	}
	if len(all.Each) == len(plan.Windows) && all.Endless(sampledFrom) {
		doc.Problem(at, "overlap, and would be open for more than %d days at once: what never closes is no window; make "+
			"them shorter, or leave them out", schedule.Longest/(24*time.Hour))
	}
}

// sampledFrom is a moment like any other: what a file says must not depend on when it is read.
var sampledFrom = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// checkWindow checks a window: its form, and that its schedule can be told to Temporal.
func checkWindow(doc *strictyaml.Document, at string, w Window) {
	if w.Schedule != "" {
		expression, err := schedule.Parse(w.Schedule)
		switch {
		case err != nil:
			doc.Problem(at+".schedule", "%v", err)
		case expression.IsRate() && w.Offset != "":
			doc.Problem(at+".offset", "belongs to cron() only, as in AWS's maintenance windows; remove it and put off start")
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
	checkTimeZone(doc, at+".time_zone", w.TimeZone)
	switch open := w.Duration - w.Cutoff; {
	case w.Duration > 0 && open <= 0:
		doc.Problem(at+".cutoff", "%s leaves nothing of a window of %s; make it shorter", w.Cutoff, w.Duration)
	case w.Duration > 0 && w.Jitter >= open:
		doc.Problem(at+".jitter", "%s may leave nothing of the %s before the cutoff; make it shorter", w.Jitter, open)
	}
}

func checkTimeZone(doc *strictyaml.Document, at, zone string) {
	if zone == "" {
		return
	}
	// "Local" would mean the worker's own zone, which is nobody's intention.
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		doc.Problem(at, "%q is no time zone's IANA name; write it like time_zone: Asia/Tokyo", zone)
	}
}

func checkCalendars(doc *strictyaml.Document, at string, names []string) {
	for i, name := range names {
		if name != "" && !calendar.MatchString(name) {
			doc.Problem(
				fmt.Sprintf("%s[%d]", at, i),
				"is no Change Calendar's name or ARN; write it like arn:aws:ssm:ap-northeast-1:111122223333:document/business-days",
			)
		}
	}
}

// calendar is the name of an SSM document, or its ARN: API reference of CreateDocument and GetCalendarState.
var calendar = regexp.MustCompile(`^(arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:document/)?[A-Za-z0-9_.-]{3,128}$`)

// Window is the window of a plan that is open at a moment and still starts instances, or else the next one: windows
// that overlap are one, and blackouts are left out. It is nil for a plan that may be patched at any time. A plan whose
// windows never open again is an error: nil would mean any time.
func (c *Config) Window(plan string, at time.Time) (*patch.Window, error) {
	windows, found, err := c.Windows(plan)
	if err != nil {
		return nil, err
	}
	window := windows.At(at)
	if window == nil && found {
		return nil, fmt.Errorf("no window of plan %s opens after %s; change their schedules in %s",
			plan, at.UTC().Format(time.RFC3339), c.File)
	}
	return window, nil
}

// Windows are a plan's windows and blackouts, and whether it has a window.
func (c *Config) Windows(name string) (windows schedule.Windows, found bool, err error) {
	i := slices.IndexFunc(c.Plans, func(plan Plan) bool { return plan.Name == name })
	if i < 0 {
		return windows, false, c.unknownPlan(name)
	}
	plan := c.Plans[i]
	if windows.Blackouts, err = c.blackoutsOf(plan); err != nil {
		return windows, false, err
	}
	for _, window := range plan.Windows {
		one, err := window.resolve()
		if err != nil {
			return windows, false, err
		}
		windows.Each = append(windows.Each, one)
	}
	return windows, len(windows.Each) > 0, nil
}

// resolve reads what Parse has checked.
func (w *Window) resolve() (schedule.Window, error) {
	expression, err := schedule.Parse(w.Schedule)
	if err != nil {
		return schedule.Window{}, err
	}
	days := 0
	if w.Offset != "" {
		if days, err = strconv.Atoi(strings.TrimSuffix(w.Offset, "d")); err != nil {
			return schedule.Window{}, fmt.Errorf("offset %s: %w", w.Offset, err)
		}
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
		Schedule: expression.After(days).In(zone, start),
		Duration: w.Duration.D(), Cutoff: w.Cutoff.D(), Jitter: w.Jitter.D(),
	}, nil
}
