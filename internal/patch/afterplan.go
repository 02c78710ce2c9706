package patch

import (
	"fmt"
	"strings"
	"time"
)

// AfterPlan is another plan that a wave waits for before it begins.
type AfterPlan struct {
	Plan    string   `json:"plan"`
	MaxAge  Duration `json:"max_age"` // how long ago the other's last wave may have ended
	Timeout Duration `json:"timeout"` // how long it is waited for; a window's cutoff ends the wait as well
	Every   Duration `json:"every"`   // between two looks
}

// AfterPlanEvery is how often it is looked at another plan's waves: each look stays in the wave's history.
const AfterPlanEvery = Duration(5 * time.Minute)

// Confirm is how long after a look that found it done another is to confirm it: a list of workflows may be seconds old,
// and a wave that begins just now is not in it yet.
func (a AfterPlan) Confirm() Duration { return a.Every / 5 }

// PlanWave is a wave of another plan, or a roll back of one, that has closed.
type PlanWave struct {
	ID      string    `json:"id"`
	Outcome Outcome   `json:"outcome"` // in Temporal's words where it did not end by itself
	Ended   time.Time `json:"ended"`
}

// PlanWaves is what Temporal lists of a plan's waves and of their roll backs.
type PlanWaves struct {
	Open []string  `json:"open"`           // ids of those that run
	Last *PlanWave `json:"last,omitempty"` // that closed; nil: none did since the oldest that may count
}

// Wait is what is still waited for; "": nothing, the other plan's last wave has ended well and not long ago.
func (a AfterPlan) Wait(seen PlanWaves, now time.Time) string {
	oldest := now.Add(-a.MaxAge.D())
	switch last := seen.Last; {
	case len(seen.Open) > 0:
		return fmt.Sprintf("the plan %s has an open wave: %s", a.Plan, fewOf(seen.Open))
	case last == nil || last.Ended.Before(oldest):
		return fmt.Sprintf("the plan %s has had no wave in the last %s", a.Plan, a.MaxAge)
	case last.Outcome != Succeeded && last.Outcome != SucceededImageStale:
		how := strings.ReplaceAll(string(last.Outcome), "_", " ")
		if how == "" {
			how = "without an outcome"
		}
		return fmt.Sprintf("the last wave of the plan %s, %s, ended %s; only one that succeeded counts", a.Plan, last.ID, how)
	}
	return ""
}

// Told says what a wave waits for, as a plan shows it beforehand.
func (a AfterPlan) Told() string {
	return fmt.Sprintf("begins once the plan %s has no open wave and its last one succeeded, not more than %s ago; waits "+
		"%s for that", a.Plan, a.MaxAge, a.Timeout)
}

// NotByItself is the outcome of a wave that Temporal says ended in another way than by itself: what its attributes say
// is of before.
func (o Outcome) NotByItself(ended string) Outcome {
	if o == Succeeded || o == SucceededImageStale || o == "" {
		return Outcome(ended)
	}
	return o
}

// NeverBegan reports of the last state of a wave that has closed that there was no plan to carry out: it was of a
// misspelt one, or had a wrong input.
func (s WaveState) NeverBegan() bool { return s == "" || s == StateResolving }
