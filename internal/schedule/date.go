package schedule

import (
	"slices"
	"time"
)

// date is a day of the calendar, in no time zone.
type date struct {
	year  int
	month time.Month
	day   int
}

func (d date) utc() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC) }

func (d date) next() date { return d.plus(1) }

func (d date) plus(days int) date {
	n := d.utc().AddDate(0, 0, days)
	return date{n.Year(), n.Month(), n.Day()}
}

func (d date) endOfMonth() date { return date{d.year, d.month, monthLength(d.year, d.month)} }

func (d date) weekday() time.Weekday { return d.utc().Weekday() }

// monthLength is the number of days of a month.
func monthLength(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// at lists the moments at which clocks in the zone show that time on that day: one, none where they are put forward
// over it, two where they are put back.
func (d date) at(hour, minute int, zone *time.Location) []time.Time {
	wall := time.Date(d.year, d.month, d.day, hour, minute, 0, 0, time.UTC)
	var moments []time.Time
	// A zone's offset differs by a day at most from one side of a change to the other.
	for _, near := range []time.Duration{-36 * time.Hour, 0, 36 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		moment := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if moment.Day() == d.day && moment.Hour() == hour && moment.Minute() == minute && !slices.ContainsFunc(
			moments, moment.Equal,
		) {
			moments = append(moments, moment)
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	return moments
}
