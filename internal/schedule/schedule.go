// Package schedule reads the schedules of AWS's maintenance windows, cron(...) with six fields and rate(...), tells
// when they open, and says the same in the terms of Temporal's calendars. It is pure: the time zone and the present are
// given to it.
//
// The syntax is that of the Systems Manager User Guide, "Cron and rate expressions". What it leaves open, or what
// Temporal's calendars cannot say exactly, is refused with what to write instead.
package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Expression is a schedule as it is written, still without a time zone.
type Expression struct {
	cron  *cron         // nil: a rate
	every time.Duration // of a rate
}

// rate is what AWS calls a rate expression; a unit is singular exactly when its number is 1.
var rate = regexp.MustCompile(`^rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]{1,4}) (minutes|hours|days))\)$`)

// Parse reads an expression. Its error quotes what is wrong and says what to write.
func Parse(text string) (*Expression, error) {
	if !strings.HasPrefix(text, "rate(") {
		c, err := parseCron(text)
		if err != nil {
			return nil, err
		}
		return &Expression{cron: c}, nil
	}
	if !rate.MatchString(text) {
		return nil, fmt.Errorf("%q is no rate; write it like \"rate(7 days)\"", text)
	}
	number, unit, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(text, "rate("), ")"), " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("%q is no rate; write it like \"rate(7 days)\"", text)
	}
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	return &Expression{every: time.Duration(n) * units[strings.TrimSuffix(unit, "s")]}, nil
}

// IsRate tells rate(...) from cron(...).
func (e *Expression) IsRate() bool { return e.cron == nil }

// Every is the interval of a rate; 0 for cron(...).
func (e *Expression) Every() time.Duration { return e.every }

// After puts every opening of cron(...) off by days, as the offset of a maintenance window does: the days to wait
// "after the date and time specified by a cron expression". It opens at the same time of the day (User Guide, "Cron and
// rate expressions": TUE#3 at 11:30 PM with an offset of 2 runs at 11:30 PM two days later). A rate has no offset
// there.
func (e *Expression) After(days int) *Expression {
	if e.IsRate() || days == 0 {
		return e
	}
	put := *e.cron
	put.offset = days
	return &Expression{cron: &put}
}

// Schedule is an expression in its time zone.
type Schedule struct {
	Expression
	zone  *time.Location
	start time.Time // a rate counts from it
}

// In gives the expression its time zone, and a rate the moment that it counts from. A rate counts in hours that pass:
// over a change of the clocks it opens an hour earlier or later by the wall.
func (e *Expression) In(zone *time.Location, start time.Time) *Schedule {
	return &Schedule{Expression: *e, zone: zone, start: start}
}

// Zone is the time zone that the schedule is written in.
func (s *Schedule) Zone() *time.Location { return s.zone }

// Start is the moment that a rate counts from.
func (s *Schedule) Start() time.Time { return s.start }

// Next is the first opening after a moment; false when there is none any more. A time of day that the clocks skip does
// not open, one that comes twice opens twice.
func (s *Schedule) Next(after time.Time) (time.Time, bool) {
	if s.IsRate() {
		if after.Before(s.start) {
			return s.start.In(s.zone), true
		}
		into := after.Sub(s.start) % s.every
		return after.Add(s.every - into).In(s.zone), true
	}
	return s.cron.next(after, s.zone)
}
