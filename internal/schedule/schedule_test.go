package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/schedule"
)

// in reads an expression in a zone; rates count from 2026-01-04 02:00 there.
func in(t *testing.T, text, zone string) *schedule.Schedule {
	t.Helper()
	e, err := schedule.Parse(text)
	require.NoError(t, err)
	location, err := time.LoadLocation(zone)
	require.NoError(t, err)
	return e.In(location, time.Date(2026, 1, 4, 2, 0, 0, 0, location))
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}

// openings lists n openings after a moment, in the schedule's zone.
func openings(s *schedule.Schedule, after time.Time, n int) []string {
	list := []string{}
	for range n {
		next, found := s.Next(after)
		if !found {
			break
		}
		list = append(list, next.Format(time.RFC3339))
		after = next
	}
	return list
}

func TestOpenings(t *testing.T) {
	for name, c := range map[string]struct {
		schedule, zone, after string
		want                  []string
	}{
		"second Sunday": {"cron(0 2 ? * SUN#2 *)", "Asia/Tokyo", "2026-11-01T00:00:00Z", []string{
			"2026-11-08T02:00:00+09:00", "2026-12-13T02:00:00+09:00", "2027-01-10T02:00:00+09:00",
		}},
		"1 is Sunday": {"cron(0 2 ? * 1#2 *)", "Asia/Tokyo", "2026-11-01T00:00:00Z", []string{"2026-11-08T02:00:00+09:00"}},
		"7 is Saturday, and L alone is the last day of the week": {"cron(30 23 ? * L *)", "UTC", "2026-11-01T00:00:00Z", []string{
			"2026-11-07T23:30:00Z", "2026-11-14T23:30:00Z",
		}},
		"an opening is after the moment, never at it": {
			"cron(0 2 ? * SUN *)", "UTC", "2026-11-01T02:00:00Z", []string{"2026-11-08T02:00:00Z"},
		},
		"fifth Sunday, not in every month": {"cron(0 2 ? * SUN#5 *)", "UTC", "2026-01-01T00:00:00Z", []string{
			"2026-03-29T02:00:00Z", "2026-05-31T02:00:00Z", "2026-08-30T02:00:00Z",
		}},
		"last Friday": {"cron(15 10 ? * 6L *)", "UTC", "2026-01-01T00:00:00Z", []string{
			"2026-01-30T10:15:00Z", "2026-02-27T10:15:00Z", "2026-03-27T10:15:00Z",
		}},
		"last day, through a leap year's February": {"cron(0 2 L * ? *)", "UTC", "2028-01-30T00:00:00Z", []string{
			"2028-01-31T02:00:00Z", "2028-02-29T02:00:00Z", "2028-03-31T02:00:00Z", "2028-04-30T02:00:00Z",
		}},
		"29 February": {
			"cron(0 2 29 2 ? *)", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T02:00:00Z", "2032-02-29T02:00:00Z"},
		},
		"the 31st, not in every month": {"cron(0 2 31 * ? *)", "UTC", "2026-01-01T00:00:00Z", []string{
			"2026-01-31T02:00:00Z", "2026-03-31T02:00:00Z", "2026-05-31T02:00:00Z",
		}},
		"last weekday: a month that ends on Sunday, one on Saturday, one on Monday": {"cron(0 2 LW * ? *)", "UTC", "2026-05-01T00:00:00Z", []string{
			"2026-05-29T02:00:00Z", "2026-06-30T02:00:00Z", "2026-07-31T02:00:00Z", "2026-08-31T02:00:00Z",
			"2026-09-30T02:00:00Z", "2026-10-30T02:00:00Z",
		}},
		"1W never leaves its month: 1 August 2026 is a Saturday, 1 November a Sunday": {"cron(0 2 1W 8,11 ? *)", "UTC", "2026-01-01T00:00:00Z", []string{
			"2026-08-03T02:00:00Z", "2026-11-02T02:00:00Z",
		}},
		"31W never leaves its month: 31 May 2026 is a Sunday, 31 October a Saturday": {"cron(0 2 31W 5,10 ? *)", "UTC", "2026-01-01T00:00:00Z", []string{
			"2026-05-29T02:00:00Z", "2026-10-30T02:00:00Z",
		}},
		"15W: Saturday before, Sunday after": {"cron(0 2 15W 8,11 ? *)", "UTC", "2026-01-01T00:00:00Z", []string{
			"2026-08-14T02:00:00Z", "2026-11-16T02:00:00Z",
		}},
		"years": {"cron(0 2 1 1 ? 2027,2030/35)", "UTC", "2026-01-01T00:00:00Z", []string{
			"2027-01-01T02:00:00Z", "2030-01-01T02:00:00Z", "2065-01-01T02:00:00Z", "2100-01-01T02:00:00Z",
		}},
		"a year that is over never opens again": {"cron(0 2 1 1 ? 2025)", "UTC", "2026-01-01T00:00:00Z", []string{}},
		"lists, ranges, steps and names": {
			"cron(0/30 22-23 ? JAN MON-TUE,FRI 2027)", "UTC", "2026-01-01T00:00:00Z",
			[]string{
				"2027-01-01T22:00:00Z", "2027-01-01T22:30:00Z", "2027-01-01T23:00:00Z", "2027-01-01T23:30:00Z",
				"2027-01-04T22:00:00Z",
			},
		},
		"a step begins at its value": {
			"cron(10/25 0 1 1 ? 2027)", "UTC", "2026-01-01T00:00:00Z", []string{"2027-01-01T00:10:00Z", "2027-01-01T00:35:00Z"},
		},
		"spring: 02:30 does not come on 8 March": {"cron(30 2 ? * SUN *)", "America/New_York", "2026-02-28T12:00:00Z", []string{
			"2026-03-01T02:30:00-05:00", "2026-03-15T02:30:00-04:00",
		}},
		"autumn: 01:30 comes twice on 1 November": {"cron(30 1 ? * SUN *)", "America/New_York", "2026-10-26T00:00:00Z", []string{
			"2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-08T01:30:00-05:00",
		}},
		"spring in Berlin": {
			"cron(30 2 ? * SUN *)", "Europe/Berlin", "2026-03-23T00:00:00Z", []string{"2026-04-05T02:30:00+02:00"},
		},
		"autumn in Berlin": {"cron(30 2 ? * SUN *)", "Europe/Berlin", "2026-10-19T00:00:00Z", []string{
			"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-11-01T02:30:00+01:00",
		}},
		"the south changes the other way": {
			"cron(30 2 ? * SUN *)", "Australia/Sydney", "2026-09-28T00:00:00Z", []string{"2026-10-11T02:30:00+11:00"},
		},
		"half an hour is skipped on Lord Howe": {"cron(15 2 ? * SUN *)", "Australia/Lord_Howe", "2026-09-28T00:00:00Z", []string{
			"2026-10-11T02:15:00+11:00",
		}},
		"midnight does not come on 24 April in Cairo": {"cron(0 0 ? * FRI *)", "Africa/Cairo", "2026-04-18T00:00:00Z", []string{
			"2026-05-01T00:00:00+03:00",
		}},
		"two in the night of the change, each once": {"cron(0 1,3 ? * SUN *)", "America/New_York", "2026-03-07T12:00:00Z", []string{
			"2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-15T01:00:00-04:00",
		}},
		"a rate counts from its start": {
			"rate(7 days)", "Asia/Tokyo", "2026-01-01T00:00:00Z",
			[]string{"2026-01-04T02:00:00+09:00", "2026-01-11T02:00:00+09:00"},
		},
		"a rate counts hours, not times of the day": {
			"rate(7 days)", "America/New_York", "2026-02-28T12:00:00Z",
			[]string{"2026-03-01T02:00:00-05:00", "2026-03-08T03:00:00-04:00"},
		},
		"a rate of hours": {
			"rate(36 hours)", "UTC", "2026-01-04T02:00:00Z", []string{"2026-01-05T14:00:00Z", "2026-01-07T02:00:00Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := c.want
			n := max(len(want), 1)
			require.Equal(t, want, openings(in(t, c.schedule, c.zone), moment(t, c.after), n))
		})
	}
}

// An offset counts days of the calendar: the time of the day stays, over a change of the clocks and the end of a month.
func TestOpeningsAfterAnOffset(t *testing.T) {
	for name, c := range map[string]struct {
		schedule, zone, after string
		days                  int
		want                  []string
	}{
		"the Saturday after the second Tuesday": {"cron(0 2 ? * TUE#2 *)", "Asia/Tokyo", "2026-11-01T00:00:00Z", 4, []string{
			"2026-11-14T02:00:00+09:00", "2026-12-12T02:00:00+09:00", "2027-01-16T02:00:00+09:00",
		}},
		"not the second Saturday: it may be before the Tuesday": {
			"cron(0 2 ? * TUE#2 *)", "UTC", "2026-08-01T00:00:00Z", 4,
			[]string{"2026-08-15T02:00:00Z", "2026-09-12T02:00:00Z"},
		},
		"AWS's own example: the third Tuesday and two days": {
			"cron(30 23 ? * TUE#3 *)", "UTC", "2026-11-01T00:00:00Z", 2, []string{"2026-11-19T23:30:00Z", "2026-12-17T23:30:00Z"},
		},
		"the rule's day has passed, its opening has not": {
			"cron(0 2 ? * TUE#2 *)", "UTC", "2026-11-12T00:00:00Z", 4, []string{"2026-11-14T02:00:00Z"},
		},
		"over the end of a year that is the last": {
			"cron(0 2 31 12 ? 2026)", "UTC", "2026-11-01T00:00:00Z", 2, []string{"2027-01-02T02:00:00Z"},
		},
		"over a leap day": {"cron(0 2 28 2 ? *)", "UTC", "2027-01-01T00:00:00Z", 2, []string{
			"2027-03-02T02:00:00Z", "2028-03-01T02:00:00Z",
		}},
		"over the clocks put forward": {
			"cron(0 4 ? * SAT#1 *)", "America/New_York", "2026-03-01T00:00:00Z", 2, []string{"2026-03-09T04:00:00-04:00"},
		},
		"into the hour that does not come": {
			"cron(30 2 ? * SAT#1 *)", "America/New_York", "2026-03-01T00:00:00Z", 1, []string{"2026-04-05T02:30:00-04:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := schedule.Parse(c.schedule)
			require.NoError(t, err)
			zone, err := time.LoadLocation(c.zone)
			require.NoError(t, err)
			s := e.After(c.days).In(zone, time.Time{})
			require.Equal(t, c.want, openings(s, moment(t, c.after), len(c.want)))
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "is no schedule; write six fields",
		"cron(0 2 * * SUN)":                "is no schedule; write six fields",
		"cron(0 0 2 ? * SUN *":             "is no schedule; write six fields",
		"cron(60 2 ? * SUN *)":             `"60" is wrong as minutes, which is 0-59`,
		"cron(0 24 ? * SUN *)":             `"24" is wrong as hours, which is 0-23`,
		"cron(0 2 ? * 0 *)":                `"0" is wrong as day-of-week, which is 1-7 (1 is Sunday)`,
		"cron(0 2 ? * SUN#6 *)":            `"SUN#6" is wrong as day-of-week`,
		"cron(0 2 ? * SUN#1,SUN#3 *)":      `"SUN#1,SUN#3" is wrong as day-of-week`,
		"cron(0 2 L-3 * ? *)":              `"L-3" is wrong as day-of-month`,
		"cron(0 2 1 * SUN *)":              "exactly one of day-of-month and day-of-week must be ?",
		"cron(0 2 ? * ? *)":                "exactly one of day-of-month and day-of-week must be ?",
		"cron(0 2 ? * FRI-MON *)":          `it ends before it begins; write it in two parts, like "FRI-SAT,SUN-MON"`,
		"cron(0 22-2 ? * SUN *)":           `write it in two parts, like "22-23,0-2"`,
		"cron(0 2 ? * SUN 1999)":           `"1999" is wrong as year, which is 2000-2100`,
		"cron(0 2 ? * SUN 2027-2150)":      `"2027-2150" is wrong as year, which is 2000-2100 (Temporal knows no other)`,
		"cron(0 2 30 2 ? *)":               "names no day that exists",
		"cron(0 2 29 FEB ? 2027)":          "names no day that exists",
		"cron(0 2 31 4,6 ? *)":             "names no day that exists",
		"cron(0 2 31W * ? *)":              `"31W" has no meaning in February, which may have 29 days; write LW for the last weekday of the month, or name only months that have 31`,
		"cron(0 2 29W 2 ? *)":              `"29W" has no meaning in February`,
		"cron(0 2 15W,20W * ? *)":          `"15W,20W" is wrong as day-of-month`,
		"cron(0/0 2 ? * SUN *)":            `"0/0" is wrong as minutes`,
		"rate(7 day)":                      `is no rate; write it like "rate(7 days)"`,
		"rate(1 days)":                     `is no rate`,
		"rate(0 days)":                     `is no rate`,
		"rate(2 weeks)":                    `is no rate`,
		"rate(7 days) rate(7 days)":        `is no rate`,
		"cron(0 2 ? * SUN#2 *) and SUN":    "is no schedule; write six fields",
		"cron(0 2 ? * SUNDAY *)":           `"SUNDAY" is wrong as day-of-week`,
		"cron(0,,5 2 ? * SUN *)":           `"0,,5" is wrong as minutes`,
		"cron(0 2 ? * SUN-MON-TUE *)":      `"SUN-MON-TUE" is wrong as day-of-week`,
		"cron(0 2 29W 2 ? 2028,2032,2027)": `"29W" has no meaning in February, which may have 28 days`,
	} {
		t.Run(text, func(t *testing.T) {
			_, err := schedule.Parse(text)
			require.ErrorContains(t, err, want)
		})
	}
	_, err := schedule.Parse("cron(0 2 29W 2 ? 2028,2032)")
	require.NoError(t, err, "these Februaries have 29 days")
}

// expressions are those that the properties below are tried with: each rule, and each of its edges.
var expressions = []string{
	"cron(0 2 ? * SUN#2 *)", "cron(0 2 ? * 7#5 *)", "cron(0 2 ? 2 MON#5 *)", "cron(0 2 ? * 6L *)", "cron(0 2 ? 2 SUNL *)",
	"cron(0 2 ? * L *)",
	"cron(0 2 L * ? *)", "cron(0 2 L 2 ? *)", "cron(0 2 L 2,4 ? 2027-2029)", "cron(0 2 LW * ? *)", "cron(0 2 LW 2 ? *)",
	"cron(0 2 1W * ? *)", "cron(0 2 2W * ? *)", "cron(0 2 15W * ? *)", "cron(0 2 28W * ? *)", "cron(0 2 30W 1,4,12 ? *)",
	"cron(0 2 31W 1,3,5,7,8,10,12 ? *)",
	"cron(0 2 28W 2 ? *)", "cron(0 2 29W 2 ? 2024-2096/4)", "cron(0 2 * * ? *)", "cron(0 2 ? * * *)",
	"cron(0 2 ? * MON-FRI *)", "cron(0 2 ? * 2/2 *)",
	"cron(0 2 1-7,29/1 * ? *)", "cron(0 2 29 2 ? *)", "cron(0 2 31 * ? 2030-2040)", "cron(0 2 1 JAN,JUL ? 2026/3)",
}

// What is said to Temporal is what was written: on every day of the years that Temporal knows.
func TestCalendarsSayTheSame(t *testing.T) {
	for _, text := range expressions {
		t.Run(text, func(t *testing.T) {
			sayTheSame(t, in(t, text, "UTC"))
		})
	}
}

// So is what is put off by days: over the ends of months of each length, of years, and of the leap years.
func TestCalendarsSayTheSameOfAnOffset(t *testing.T) {
	cases := map[string][]int{
		"cron(0 2 ? * TUE#2 *)": {1, 4}, "cron(0 2 31 12 ? 2027,2100)": {1, 6}, "cron(0 2 ? 12 * 2030)": {1, 6},
		"cron(0 2 ? 3 TUE *)": {4},
	}
	for i, text := range expressions {
		cases[text] = []int{1 + i%6}
	}
	for text, offsets := range cases {
		for _, days := range offsets {
			t.Run(fmt.Sprint(text, days), func(t *testing.T) {
				e, err := schedule.Parse(text)
				require.NoError(t, err)
				sayTheSame(t, e.After(days).In(time.UTC, time.Time{}))
			})
		}
	}
}

func sayTheSame(t *testing.T, s *schedule.Schedule) {
	t.Helper()
	opens := map[string]bool{}
	for next, found := s.Next(time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)); found; next, found = s.Next(next) {
		opens[next.Format(time.DateOnly)] = true
	}
	require.NotEmpty(t, opens)
	calendars := s.Calendars()
	require.LessOrEqual(t, len(calendars), 40)
	for day := time.Date(2000, 1, 1, 2, 0, 0, 0, time.UTC); day.Year() <= 2100; day = day.AddDate(0, 0, 1) {
		matches := false
		for _, c := range calendars {
			matches = matches || matchesAll(c, day)
		}
		require.Equal(t, opens[day.Format(time.DateOnly)], matches, day)
	}
}

func matchesAll(c schedule.Calendar, at time.Time) bool {
	return matches(c.Minute, at.Minute()) && matches(c.Hour, at.Hour()) && matches(c.DayOfMonth, at.Day()) &&
		matches(c.Month, int(at.Month())) && matches(c.Year, at.Year()) && matches(c.DayOfWeek, int(at.Weekday()))
}

func matches(ranges []schedule.Range, value int) bool {
	for _, r := range ranges {
		if value >= r.Start && value <= r.End && (value-r.Start)%r.Step == 0 {
			return true
		}
	}
	return len(ranges) == 0
}

// The next opening is the next moment at which a clock on the wall there shows what was written: through a year with
// its two changes, by quarters of an hour, in zones that change by an hour, by half of one, at midnight, in the south,
// and never.
func TestNextIsTheNextTimeThatTheClocksShow(t *testing.T) {
	for _, zone := range []string{
		"UTC", "Asia/Tokyo", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "America/St_Johns", "America/Santiago",
		"Australia/Lord_Howe",
		"Africa/Cairo", "Africa/Casablanca", "Pacific/Apia",
	} {
		t.Run(zone, func(t *testing.T) {
			for _, text := range []string{"cron(0/15 0-3,23 ? * * *)", "cron(30 1 ? * SUN,FRI *)", "cron(45 23 L * ? *)", "cron(0 0 1 * ? *)"} {
				s := in(t, text, zone)
				calendars := s.Calendars()
				from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
				next, found := s.Next(from.Add(-time.Second))
				for at := from; at.Before(from.AddDate(1, 0, 0)); at = at.Add(15 * time.Minute) {
					shows := false
					for _, c := range calendars {
						shows = shows || matchesAll(c, at.In(s.Zone()))
					}
					require.Equal(t, shows, found && next.Equal(at), "%s in %s at %s, next %s", text, zone, at.In(s.Zone()), next)
					if shows {
						next, found = s.Next(at)
					}
				}
			}
		})
	}
}

func only(window schedule.Window) schedule.Windows {
	return schedule.Windows{Each: []schedule.Window{window}}
}

func TestWindowAt(t *testing.T) {
	type times struct{ opens, cutoff, closes string }
	sunday := times{"2026-11-08T22:00:00Z", "2026-11-09T01:00:00Z", "2026-11-09T02:00:00Z"}
	for name, c := range map[string]struct {
		schedule, zone, now string
		want                times
	}{
		"before":        {"cron(0 22 ? * SUN *)", "UTC", "2026-11-08T21:59:59Z", sunday},
		"as it opens":   {"cron(0 22 ? * SUN *)", "UTC", "2026-11-08T22:00:00Z", sunday},
		"over midnight": {"cron(0 22 ? * SUN *)", "UTC", "2026-11-09T00:59:59Z", sunday},
		"at the cutoff, the next": {
			"cron(0 22 ? * SUN *)", "UTC", "2026-11-09T01:00:00Z",
			times{"2026-11-15T22:00:00Z", "2026-11-16T01:00:00Z", "2026-11-16T02:00:00Z"},
		},
		"two that overlap are one, once both are open": {
			"cron(0 20,22 ? * SUN *)", "UTC", "2026-11-08T22:30:00Z",
			times{"2026-11-08T20:00:00Z", "2026-11-09T01:00:00Z", "2026-11-09T02:00:00Z"},
		},
		"two that overlap are one, before the second opens": {
			"cron(0 20,22 ? * SUN *)", "UTC", "2026-11-08T21:30:00Z",
			times{"2026-11-08T20:00:00Z", "2026-11-09T01:00:00Z", "2026-11-09T02:00:00Z"},
		},
		"four hours through a spring": {
			"cron(0 1 ? * SUN *)", "America/New_York", "2026-03-08T07:30:00Z",
			times{"2026-03-08T06:00:00Z", "2026-03-08T09:00:00Z", "2026-03-08T10:00:00Z"},
		},
		"the two openings of an autumn night are one window": {
			"cron(30 1 ? * SUN *)", "America/New_York", "2026-11-01T06:30:00Z",
			times{"2026-11-01T05:30:00Z", "2026-11-01T09:30:00Z", "2026-11-01T10:30:00Z"},
		},
		"a rate before it ever opened": {
			"rate(7 days)", "UTC", "2025-12-01T00:00:00Z",
			times{"2026-01-04T02:00:00Z", "2026-01-04T05:00:00Z", "2026-01-04T06:00:00Z"},
		},
		"a rate that is open": {
			"rate(7 days)", "UTC", "2026-01-11T04:59:59Z",
			times{"2026-01-11T02:00:00Z", "2026-01-11T05:00:00Z", "2026-01-11T06:00:00Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			window := schedule.Window{Schedule: in(t, c.schedule, c.zone), Duration: 4 * time.Hour, Cutoff: time.Hour}
			got := only(window).At(moment(t, c.now))
			require.NotNil(t, got)
			require.Equal(t, c.want, times{
				got.Opens.UTC().Format(time.RFC3339), got.Cutoff.UTC().Format(time.RFC3339), got.Closes.UTC().Format(time.RFC3339),
			})
		})
	}
	over := schedule.Window{Schedule: in(t, "cron(0 2 1 1 ? 2025)", "UTC"), Duration: 4 * time.Hour}
	require.Nil(t, only(over).At(moment(t, "2026-01-01T00:00:00Z")))
}
