package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/strictyaml"
)

// checkWindow checks the form of a window; when it opens is worked out elsewhere.
func checkWindow(doc *strictyaml.Document, at string, w Window) {
	if w.Schedule != "" {
		isRate, err := checkSchedule(w.Schedule)
		switch {
		case err != nil:
			doc.Problem(at+".schedule", "%v", err)
		case isRate && w.Start == "" && !doc.Has(at+".start"):
			doc.Problem(at+".start", "is missing, and a rate() must count from some moment; write it like start: \"2026-01-04T02:00:00+09:00\"")
		case !isRate && w.Start != "":
			doc.Problem(at+".start", "belongs to rate() only; remove it")
		}
	}
	if w.Start != "" {
		if _, err := time.Parse(time.RFC3339, w.Start); err != nil {
			doc.Problem(at+".start", "%q is no moment in RFC 3339; write it like start: \"2026-01-04T02:00:00+09:00\"", w.Start)
		}
	}
	if w.TimeZone != "" {
		// "Local" would mean the worker's own zone, which is nobody's intention.
		if _, err := time.LoadLocation(w.TimeZone); err != nil || w.TimeZone == "Local" {
			doc.Problem(at+".time_zone", "%q is no time zone's IANA name; write it like time_zone: Asia/Tokyo", w.TimeZone)
		}
	}
	if w.Duration > 0 && w.Cutoff >= w.Duration {
		doc.Problem(at+".cutoff", "%s leaves nothing of a window of %s; make it shorter", w.Cutoff, w.Duration)
	}
	for i, name := range w.ChangeCalendars {
		if name != "" && !calendar.MatchString(name) {
			doc.Problem(fmt.Sprintf("%s.change_calendars[%d]", at, i), "is no Change Calendar's name or ARN; write it like arn:aws:ssm:ap-northeast-1:111122223333:document/business-days")
		}
	}
}

// calendar is the name of an SSM document, or its ARN: API reference of CreateDocument and GetCalendarState.
var calendar = regexp.MustCompile(`^(arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:document/)?[A-Za-z0-9_.-]{3,128}$`)

// rate is what AWS calls a rate expression; a unit is singular exactly when its number is 1.
var rate = regexp.MustCompile(`^rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]{1,4}) (minutes|hours|days))\)$`)

// checkSchedule checks cron(...) with AWS's six fields and rate(...), and tells which one it is.
func checkSchedule(schedule string) (isRate bool, err error) {
	if strings.HasPrefix(schedule, "rate(") {
		if !rate.MatchString(schedule) {
			return true, fmt.Errorf("%q is no rate; write it like \"rate(7 days)\"", schedule)
		}
		return true, nil
	}
	inner, isCron := strings.CutPrefix(schedule, "cron(")
	inner, closed := strings.CutSuffix(inner, ")")
	fields := strings.Fields(inner)
	if !isCron || !closed || len(fields) != 6 {
		return false, fmt.Errorf("%q is no schedule; write six fields (minutes hours day-of-month month day-of-week year), like \"cron(0 2 ? * SUN#2 *)\", or \"rate(7 days)\"", schedule)
	}
	for i, f := range cronFields() {
		if !f.accepts(fields[i]) {
			return false, fmt.Errorf("%q is wrong as %s, which is %s; write it like \"cron(0 2 ? * SUN#2 *)\"", fields[i], f.name, f.values)
		}
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return false, fmt.Errorf("exactly one of day-of-month and day-of-week must be ?; write it like \"cron(0 2 ? * SUN#2 *)\"")
	}
	return false, nil
}

// cronField is one field of AWS's cron: Systems Manager User Guide, "Cron and rate expressions".
type cronField struct {
	name, values string
	low, high    int
	words        []string
	special      *regexp.Regexp // forms beside numbers, ranges, lists and steps; nil: none
}

func cronFields() []cronField {
	days := []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
	months := []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	return []cronField{
		{name: "minutes", values: "0-59", low: 0, high: 59},
		{name: "hours", values: "0-23", low: 0, high: 23},
		{name: "day-of-month", values: "1-31, ?, L or W", low: 1, high: 31, special: regexp.MustCompile(`^(\?|L|LW|([1-9]|[12][0-9]|3[01])W)$`)},
		{name: "month", values: "1-12 or JAN-DEC", low: 1, high: 12, words: months},
		{name: "day-of-week", values: "1-7 (1 is Sunday) or SUN-SAT, ?, L or #", low: 1, high: 7, words: days, special: regexp.MustCompile(`^(\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$`)},
		{name: "year", values: "1970-2199", low: 1970, high: 2199},
	}
}

func (f cronField) accepts(text string) bool {
	if f.special != nil && f.special.MatchString(text) {
		return true
	}
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1 || n > f.high) {
			return false
		}
		if span == "*" {
			continue
		}
		from, to, isRange := strings.Cut(span, "-")
		if !f.isValue(from) || isRange && !f.isValue(to) {
			return false
		}
	}
	return true
}

func (f cronField) isValue(text string) bool {
	if slices.Contains(f.words, text) {
		return true
	}
	n, err := strconv.Atoi(text)
	return err == nil && f.low <= n && n <= f.high
}
