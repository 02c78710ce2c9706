package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

// mostBlackouts is the most that may be given in one place: those to come travel with a plan through each workflow.
const mostBlackouts = 100

// checkBlackouts checks days, and that they end after they begin.
func checkBlackouts(doc *strictyaml.Document, at string, blackouts []Blackout) {
	if len(blackouts) > mostBlackouts {
		doc.Problem(at, "has %d blackouts, and %d are kept; remove those that are over", len(blackouts), mostBlackouts)
	}
	for i, one := range blackouts {
		place := fmt.Sprintf("%s[%d]", at, i)
		from, fromOK := doc.Day(place+".from", one.From)
		to, toOK := doc.Day(place+".to", one.To)
		if fromOK && toOK && to.Before(from) {
			doc.Problem(place+".to", "%s is before %s, the first day; write the last one", one.To, one.From)
		}
		checkTimeZone(doc, place+".time_zone", one.TimeZone)
	}
}

// blackoutsOf are the blackouts of a plan and those of the whole configuration, by their beginning.
func (c *Config) blackoutsOf(plan Plan) (patch.Blackouts, error) {
	var all patch.Blackouts
	for _, one := range slices.Concat(c.Blackout, plan.Blackout) {
		resolved, err := one.resolve()
		if err != nil {
			return nil, fmt.Errorf("blackout from %s: %w", one.From, err)
		}
		all = append(all, resolved)
	}
	slices.SortStableFunc(all, func(a, b patch.Blackout) int { return a.From.Compare(b.From) })
	return all, nil
}

// resolve reads what Parse has checked.
func (b Blackout) resolve() (patch.Blackout, error) {
	zone, err := time.LoadLocation(b.TimeZone)
	if err != nil {
		return patch.Blackout{}, err
	}
	first, err := time.Parse(time.DateOnly, b.From)
	if err != nil {
		return patch.Blackout{}, err
	}
	last := first
	if b.To != "" {
		if last, err = time.Parse(time.DateOnly, b.To); err != nil {
			return patch.Blackout{}, err
		}
	}
	return patch.Blackout{From: begins(first, zone), Until: begins(last.AddDate(0, 0, 1), zone), Reason: b.Reason}, nil
}

// begins is the first moment of a day in a zone: where the clocks are put forward over midnight that is later, and
// where midnight comes twice the first of them.
func begins(day time.Time, zone *time.Location) time.Time {
	at := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
	if at.Day() != day.Day() {
		at = at.Add(time.Hour)
	}
	if before := at.Add(-time.Hour); before.Day() == day.Day() {
		return before
	}
	return at
}
