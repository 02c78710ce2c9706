package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Temporal's calendars know these years (scheduler/calendar.go of the server).
const (
	firstYear = 2000
	lastYear  = 2100
)

// cron is cron(...) taken apart: every set is sorted and holds what AWS's numbers mean, weekdays as Go and Temporal
// count them.
type cron struct {
	minutes, hours, months []int
	years                  []int // nil: all
	days                   dayRule
	offset                 int // days from a day of the rule to the opening
}

const cronExample = `"cron(0 2 ? * SUN#2 *)"`

// field is one field of AWS's cron.
type field struct {
	name, values string
	low, high    int
	words        []string       // names of the values from low on
	special      *regexp.Regexp // forms beside numbers, ranges, lists and steps; nil: none
}

func fields() []field {
	days := []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
	months := []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	return []field{
		{name: "minutes", values: "0-59", low: 0, high: 59},
		{name: "hours", values: "0-23", low: 0, high: 23},
		{
			name: "day-of-month", values: "1-31, ?, L or W", low: 1, high: 31,
			special: regexp.MustCompile(`^(\?|L|LW|([1-9]|[12][0-9]|3[01])W)$`),
		},
		{name: "month", values: "1-12 or JAN-DEC", low: 1, high: 12, words: months},
		{
			name: "day-of-week", values: "1-7 (1 is Sunday) or SUN-SAT, ?, L or #", low: 1, high: 7, words: days,
			special: regexp.MustCompile(`^(\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$`),
		},
		{name: "year", values: "2000-2100 (Temporal knows no other)", low: firstYear, high: lastYear},
	}
}

func parseCron(text string) (*cron, error) {
	inner, isCron := strings.CutPrefix(text, "cron(")
	inner, closed := strings.CutSuffix(inner, ")")
	given := strings.Fields(inner)
	if !isCron || !closed || len(given) != 6 {
		return nil, fmt.Errorf(
			"%q is no schedule; write six fields (minutes hours day-of-month month day-of-week year), like %s, or \"rate(7 "+
				"days)\"",
			text, cronExample,
		)
	}
	sets := make([][]int, 6)
	for i, f := range fields() {
		if f.special != nil && f.special.MatchString(given[i]) {
			continue
		}
		set, err := f.set(given[i])
		if err != nil {
			return nil, err
		}
		sets[i] = set
	}
	if (given[2] == "?") == (given[4] == "?") {
		return nil, fmt.Errorf("exactly one of day-of-month and day-of-week must be ?; write it like %s", cronExample)
	}
	c := &cron{minutes: sets[0], hours: sets[1], months: sets[3], years: sets[5]}
	if len(c.years) == lastYear-firstYear+1 {
		c.years = nil
	}
	var err error
	c.days, err = parseDays(given[2], given[4], sets[2], sets[4], c)
	return c, err
}

// set reads numbers, names, ranges, lists and steps.
func (f field) set(text string) ([]int, error) {
	wrong := func() error {
		return fmt.Errorf("%q is wrong as %s, which is %s; write it like %s", text, f.name, f.values, cronExample)
	}
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n < 1 || n > f.high {
				return nil, wrong()
			}
			step = n
		}
		low, high := f.low, f.high
		if span != "*" {
			from, to, isRange := strings.Cut(span, "-")
			var ok bool
			if low, ok = f.value(from); !ok {
				return nil, wrong()
			}
			switch {
			case isRange:
				if high, ok = f.value(to); !ok {
					return nil, wrong()
				}
			case !stepped: // with a step, a single value goes on to the end: 5/15 is 5-59/15
				high = low
			}
		}
		if low > high {
			return nil, fmt.Errorf("%q is wrong as %s: it ends before it begins; write it in two parts, like %s",
				text, f.name, strconv.Quote(fmt.Sprintf("%s-%s,%s-%s", f.word(low), f.word(f.high), f.word(f.low), f.word(high))))
		}
		for value := low; value <= high; value += step {
			all = append(all, value)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (f field) value(text string) (int, bool) {
	if i := slices.Index(f.words, text); i >= 0 {
		return f.low + i, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && f.low <= n && n <= f.high
}

// word is a value as people write it.
func (f field) word(value int) string {
	if f.words != nil {
		return f.words[value-f.low]
	}
	return strconv.Itoa(value)
}

// runs reports whether the cron has days in a month at all.
func (c *cron) runs(year int, month time.Month) bool {
	return (c.years == nil || slices.Contains(c.years, year)) && slices.Contains(c.months, int(month))
}

// yearList lists the years, all of those that Temporal knows if there is no choice.
func (c *cron) yearList() []int { return yearList(c.years) }

func yearList(years []int) []int {
	if years != nil {
		return years
	}
	var all []int
	for year := firstYear; year <= lastYear; year++ {
		all = append(all, year)
	}
	return all
}

// on reports whether there are openings on a day.
func (c *cron) on(day date) bool {
	day = day.plus(-c.offset)
	return c.runs(day.year, day.month) && c.days.on(day)
}

// next walks the days from the one before, since a zone may be on another date than UTC, until one has an opening after
// the moment. The day after is looked at too: where the clocks go back over midnight, its first minutes come earlier.
func (c *cron) next(after time.Time, zone *time.Location) (time.Time, bool) {
	from := after.In(zone).AddDate(0, 0, -1)
	said := date{from.Year(), from.Month(), from.Day()}.plus(-c.offset) // by the rule, before the offset
	for ; said.year <= lastYear; said = said.next() {
		if !c.runs(said.year, said.month) {
			said = said.endOfMonth()
			continue
		}
		day := said.plus(c.offset)
		best, found := c.first(day, zone, after)
		if !found {
			continue
		}
		if other, also := c.first(day.next(), zone, after); also && other.Before(best) {
			best = other
		}
		return best, true
	}
	return time.Time{}, false
}

// first is the earliest opening of a day after a moment.
func (c *cron) first(day date, zone *time.Location, after time.Time) (best time.Time, found bool) {
	if !c.on(day) {
		return best, false
	}
	for _, hour := range c.hours {
		for _, minute := range c.minutes {
			for _, at := range day.at(hour, minute, zone) {
				if at.After(after) && (!found || at.Before(best)) {
					best, found = at, true
				}
			}
		}
	}
	return best, found
}

var errNever = errors.New("names no day that exists; write it like " + cronExample)
