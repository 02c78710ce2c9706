package schedule

import (
	"slices"
	"time"
)

// Range is Temporal's ScheduleRange: Start, Start+Step, and so on, up to End.
type Range struct{ Start, End, Step int }

// Calendar is Temporal's structured calendar. A moment matches when all fields do; no ranges match any value. Seconds
// are 0. Weekdays are counted from Sunday, which is 0.
type Calendar struct {
	Minute, Hour, DayOfMonth, Month, Year, DayOfWeek []Range
}

// Calendars says cron(...) in Temporal's terms: it opens when one of them matches. A rate has none.
//
// Temporal has no last day and no n-th weekday, but it asks for day of the month and weekday both: SUN#2 is a Sunday
// from the 8th to the 14th. What counts from the end of the month is said once for each length that a month may have.
func (s *Schedule) Calendars() []Calendar {
	if s.IsRate() {
		return nil
	}
	var all []Calendar
	for _, part := range s.cron.parts() {
		calendar := Calendar{
			Minute: ranges(s.cron.minutes), Hour: ranges(s.cron.hours), Month: ranges(part.months),
			DayOfMonth: ranges(part.days), DayOfWeek: ranges(part.weekdays), Year: ranges(part.years),
		}
		if len(part.months) == 12 {
			calendar.Month = nil
		}
		all = append(all, calendar)
	}
	return all
}

// part is one product of sets; nil is any.
type part struct{ days, weekdays, months, years []int }

// parts are the days on which a cron opens.
func (c *cron) parts() []part {
	var all []part
	for _, said := range c.days.parts(c) {
		all = append(all, said.plus(c.offset)...)
	}
	return all
}

func (r dayRule) parts(c *cron) []part {
	switch r.kind {
	case monthDays:
		if len(r.set) == 31 {
			return []part{{months: c.months, years: c.years}}
		}
		return []part{{days: r.set, months: c.months, years: c.years}}
	case weekdays:
		if len(r.set) == 7 {
			return []part{{months: c.months, years: c.years}}
		}
		return []part{{weekdays: r.set, months: c.months, years: c.years}}
	case nthWeekday:
		first := 7*(r.number-1) + 1
		return []part{
			{days: span(first, min(first+6, 31)), weekdays: []int{int(r.weekday)}, months: c.months, years: c.years},
		}
	}
	var all []part
	for _, months := range c.byLength() {
		for _, days := range r.inMonthOf(months.length) {
			days.months, days.years = months.months, months.years
			all = append(all, days)
		}
	}
	return all
}

// inMonthOf says a rule that counts from the month's end for months of one length.
func (r dayRule) inMonthOf(length int) []part {
	workdays, friday, monday := span(int(time.Monday), int(time.Friday)), []int{int(time.Friday)}, []int{int(time.Monday)}
	switch r.kind {
	case lastDay:
		return []part{{days: []int{length}}}
	case lastWeekday:
		return []part{{days: span(length-6, length), weekdays: []int{int(r.weekday)}}}
	case lastWorkday: // a Friday that a Saturday, or Saturday and Sunday, end the month after
		return []part{{days: []int{length}, weekdays: workdays}, {days: span(length-2, length-1), weekdays: friday}}
	}
	// nW: the day itself, the Friday before it, the Monday after it; at an end of the month the other side.
	n := r.number
	all := []part{{days: []int{n}, weekdays: workdays}}
	switch n {
	case 1: // Saturday: Monday the 3rd; Sunday: Monday the 2nd
		return append(all, part{days: []int{2, 3}, weekdays: monday})
	case length: // Saturday or Sunday: the Friday before
		return append(all, part{days: []int{n - 2, n - 1}, weekdays: friday})
	}
	return append(all, part{days: []int{n - 1}, weekdays: friday}, part{days: []int{n + 1}, weekdays: monday})
}

type monthsOfLength struct {
	length        int
	months, years []int
}

// byLength sorts the chosen months by their number of days; February has two.
func (c *cron) byLength() []monthsOfLength { return byLength(c.months, c.years) }

func byLength(months, years []int) []monthsOfLength {
	var long, short, all []int
	february := false
	for _, month := range months {
		switch monthLength(2001, time.Month(month)) {
		case 31:
			long = append(long, month)
		case 30:
			short = append(short, month)
		default:
			february = true
		}
	}
	var sorted []monthsOfLength
	if long != nil {
		sorted = append(sorted, monthsOfLength{31, long, years})
	}
	if short != nil {
		sorted = append(sorted, monthsOfLength{30, short, years})
	}
	if february {
		all = yearList(years)
		leap := func(year int) bool { return monthLength(year, time.February) == 29 }
		for length, keep := range map[int]func(int) bool{28: func(y int) bool { return !leap(y) }, 29: leap} {
			if years := slices.DeleteFunc(slices.Clone(all), func(y int) bool { return !keep(y) }); len(years) > 0 {
				sorted = append(sorted, monthsOfLength{length, []int{int(time.February)}, years})
			}
		}
	}
	slices.SortFunc(sorted, func(a, b monthsOfLength) int { return b.length - a.length })
	return sorted
}

func span(from, to int) []int {
	var all []int
	for value := from; value <= to; value++ {
		all = append(all, value)
	}
	return all
}

// ranges writes a sorted set as few ranges, with a step where that makes fewer: leap years are 2000-2096/4.
func ranges(set []int) []Range {
	var best []Range
	for step := 1; step <= 30; step++ {
		if with := rangesOf(set, step); best == nil || len(with) < len(best) {
			best = with
		}
	}
	return best
}

// rangesOf puts each value into the range that ends one step before it.
func rangesOf(set []int, step int) []Range {
	var all []Range
	for _, value := range set {
		if i := slices.IndexFunc(all, func(r Range) bool { return r.End == value-step }); i >= 0 {
			all[i].End = value
			continue
		}
		all = append(all, Range{Start: value, End: value, Step: step})
	}
	for i := range all {
		if all[i].Start == all[i].End {
			all[i].Step = 1
		}
	}
	return all
}
