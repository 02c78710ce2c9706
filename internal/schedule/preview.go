package schedule

import (
	"fmt"
	"time"
)

// Opening is one line of a preview: a moment at which a window opens, or a time of day that does not come.
type Opening struct {
	At   time.Time // in the schedule's zone; zero when it does not open
	Wall string    // what clocks show there: 2006-01-02 15:04
	Note string    // what is odd about it; "" for nothing
}

// Preview lists the next n openings after a moment, and among them those that a change of the clocks swallows.
func (s *Schedule) Preview(after time.Time, n int) []Opening {
	var all []Opening
	for previous := after; n > 0; n-- {
		next, found := s.Next(previous)
		if !found {
			break
		}
		all = append(all, s.skipped(previous, next)...)
		all = append(all, Opening{At: next, Wall: next.Format(wallMinutes), Note: s.note(previous, next)})
		previous = next
	}
	return all
}

const wallMinutes = "2006-01-02 15:04"

// note tells what is odd about an opening.
func (s *Schedule) note(previous, at time.Time) string {
	if s.IsRate() {
		_, before := previous.In(s.zone).Zone()
		if _, offset := at.Zone(); offset != before && !previous.Before(s.start) {
			return "the clocks have changed: a rate counts hours, so the time of day moves"
		}
		return ""
	}
	both := date{at.Year(), at.Month(), at.Day()}.at(at.Hour(), at.Minute(), s.zone)
	switch {
	case len(both) < 2:
		return ""
	case at.Equal(both[0]):
		return "the clocks are put back: this time comes twice, and the window opens twice; this is the first"
	}
	return "the clocks are put back: this time comes twice, and the window opens twice; this is the second"
}

// skipped lists the times between two moments that the clocks are put forward over.
func (s *Schedule) skipped(from, to time.Time) []Opening {
	if s.IsRate() {
		return nil
	}
	var all []Opening
	start, end := from.In(s.zone), to.In(s.zone)
	last := date{end.Year(), end.Month(), end.Day()}
	for day := (date{start.Year(), start.Month(), start.Day()}); !day.utc().After(last.utc()); day = day.next() {
		if !s.cron.on(day) {
			continue
		}
		for _, hour := range s.cron.hours {
			for _, minute := range s.cron.minutes {
				wall := time.Date(day.year, day.month, day.day, hour, minute, 0, 0, time.UTC).Format(wallMinutes)
				if len(day.at(hour, minute, s.zone)) > 0 || wall <= start.Format(wallMinutes) || wall >= end.Format(wallMinutes) {
					continue
				}
				all = append(
					all,
					Opening{
						Wall: wall,
						Note: fmt.Sprintf("the clocks of %s are put forward over this time: the window does not open", s.zone),
					},
				)
			}
		}
	}
	return all
}
