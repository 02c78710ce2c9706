package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// dayRule says on which days of a month a cron opens.
type dayRule struct {
	kind    dayKind
	set     []int // days of the month, or weekdays with 0 for Sunday
	number  int   // n of nW, or k of #k
	weekday time.Weekday
}

type dayKind int

const (
	monthDays   dayKind = iota // the days in set
	lastDay                    // L
	lastWorkday                // LW: the last of Monday to Friday
	nearWorkday                // nW: the one of Monday to Friday nearest to day n, in the same month
	weekdays                   // the weekdays in set
	nthWeekday                 // weekday#k
	lastWeekday                // weekdayL
)

// parseDays reads the two day fields; the sets are those of the fields that are plain.
func parseDays(dom, dow string, domSet, dowSet []int, c *cron) (dayRule, error) {
	week := fields()[4]
	switch {
	case domSet != nil:
		return checkExists(dayRule{kind: monthDays, set: domSet}, c)
	case dom == "L":
		return dayRule{kind: lastDay}, nil
	case dom == "LW":
		return dayRule{kind: lastWorkday}, nil
	case dom != "?":
		n, _ := fields()[2].value(strings.TrimSuffix(dom, "W"))
		return checkNear(dayRule{kind: nearWorkday, number: n}, c)
	case dowSet != nil:
		for i := range dowSet {
			dowSet[i]-- // AWS's 1 is Sunday, Go's and Temporal's 0
		}
		return dayRule{kind: weekdays, set: dowSet}, nil
	case dow == "L": // the last day of the week
		return dayRule{kind: weekdays, set: []int{int(time.Saturday)}}, nil
	}
	name, nth, isNth := strings.Cut(dow, "#")
	day, _ := week.value(strings.TrimSuffix(name, "L"))
	rule := dayRule{kind: lastWeekday, weekday: time.Weekday(day - week.low)}
	if isNth {
		rule.kind, rule.number = nthWeekday, int(nth[0]-'0')
	}
	return rule, nil
}

// checkExists refuses days that no chosen month has, like 30 February.
func checkExists(rule dayRule, c *cron) (dayRule, error) {
	for _, year := range c.yearList() {
		for _, month := range c.months {
			if rule.set[0] <= monthLength(year, time.Month(month)) {
				return rule, nil
			}
		}
	}
	return rule, errNever
}

// checkNear refuses nW where a chosen month has no day n: AWS does not say what it means there.
func checkNear(rule dayRule, c *cron) (dayRule, error) {
	for _, year := range c.yearList() {
		for _, month := range c.months {
			if length := monthLength(year, time.Month(month)); rule.number > length {
				return rule, fmt.Errorf("\"%dW\" has no meaning in %s, which may have %d days; write LW for the last weekday of "+
					"the month, or name only months that have %d",
					rule.number, time.Month(month), length, rule.number)
			}
		}
	}
	return rule, nil
}

// on reports whether the rule chooses a day.
func (r dayRule) on(d date) bool {
	length := monthLength(d.year, d.month)
	switch r.kind {
	case monthDays:
		return slices.Contains(r.set, d.day)
	case lastDay:
		return d.day == length
	case lastWorkday:
		last := date{d.year, d.month, length}
		switch last.weekday() {
		case time.Saturday:
			return d.day == length-1
		case time.Sunday:
			return d.day == length-2
		}
		return d.day == length
	case nearWorkday:
		return d.day == r.near(d.year, d.month)
	case weekdays:
		return slices.Contains(r.set, int(d.weekday()))
	case nthWeekday:
		return d.weekday() == r.weekday && (d.day-1)/7+1 == r.number
	case lastWeekday:
		return d.weekday() == r.weekday && d.day > length-7
	}
	return false
}

// near is the day that nW means: Friday for a Saturday and Monday for a Sunday, but never in another month.
func (r dayRule) near(year int, month time.Month) int {
	switch (date{year, month, r.number}).weekday() {
	case time.Saturday:
		if r.number == 1 {
			return 3
		}
		return r.number - 1
	case time.Sunday:
		if r.number == monthLength(year, month) {
			return r.number - 2
		}
		return r.number + 1
	}
	return r.number
}
