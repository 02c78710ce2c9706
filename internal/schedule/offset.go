package schedule

import "time"

// plus puts days off: weekdays move on, and what falls out of its month falls into the next. Which days do depends on
// the month's length.
func (p part) plus(offset int) []part {
	if offset == 0 {
		return []part{p}
	}
	var weekdays []int
	for day := range 7 {
		for _, said := range p.weekdays {
			if day == (said+offset)%7 {
				weekdays = append(weekdays, day)
			}
		}
	}
	everyDay := p.days == nil
	if everyDay && len(p.months) == 12 && p.years == nil {
		return []part{{weekdays: weekdays, months: p.months}}
	}
	days := p.days
	if everyDay {
		days = span(1, 31)
	}
	if last := days[len(days)-1] + offset; last <= shortest(p.months) {
		return []part{{days: moved(days, offset, 31), weekdays: weekdays, months: p.months, years: p.years}}
	}
	var all []part
	for _, of := range byLength(p.months, p.years) {
		for _, one := range of.split(days, offset) {
			one.weekdays = weekdays
			all = append(all, one)
		}
	}
	return all
}

// split puts days of months of one length off: into the same month, into the next, and from December into January.
func (m monthsOfLength) split(days []int, offset int) []part {
	var stay, leave, january []int
	for _, day := range days {
		switch {
		case day > m.length:
		case day+offset <= m.length:
			stay = append(stay, day+offset)
		default:
			leave = append(leave, day+offset-m.length)
		}
	}
	var all []part
	if stay != nil {
		all = append(all, part{days: stay, months: m.months, years: m.years})
	}
	if leave == nil {
		return all
	}
	var next []int
	for _, month := range m.months {
		if month == int(time.December) {
			january = []int{int(time.January)}
			continue
		}
		next = append(next, month+1)
	}
	if next != nil {
		all = append(all, part{days: leave, months: next, years: m.years})
	}
	if january != nil && (m.years == nil || m.years[0] < lastYear) {
		all = append(all, part{days: leave, months: january, years: moved(m.years, 1, lastYear)})
	}
	return all
}

// moved adds to each of a set, up to a last value; nil stays nil, which is any.
func moved(set []int, by, last int) []int {
	var all []int
	for _, value := range set {
		if value+by <= last {
			all = append(all, value+by)
		}
	}
	return all
}

// shortest is the least number of days that one of the months may have.
func shortest(months []int) int {
	least := 31
	for _, month := range months {
		least = min(least, monthLength(2001, time.Month(month)))
	}
	return least
}
