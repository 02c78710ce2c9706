package patch

import (
	"fmt"
	"time"
)

// Blackout is a time in which nothing is begun, whatever a window says. Putting back is allowed at any time.
type Blackout struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"` // the first moment after it
	Reason string    `json:"reason"`
}

// String says until when, and why.
func (b Blackout) String() string {
	return fmt.Sprintf("the blackout from %s until %s (%s)",
		b.From.Format(time.RFC3339), b.Until.Format(time.RFC3339), b.Reason)
}

// Blackouts are those of a plan and of the whole configuration, by their beginning.
type Blackouts []Blackout

// At is the blackout that holds at a moment, of several the one that ends last; nil: none does.
func (b Blackouts) At(t time.Time) *Blackout {
	var holds *Blackout
	for i := range b {
		if !t.Before(b[i].From) && t.Before(b[i].Until) && (holds == nil || b[i].Until.After(holds.Until)) {
			holds = &b[i]
		}
	}
	return holds
}

// Next is the first that begins after a moment; nil: none does.
func (b Blackouts) Next(t time.Time) *Blackout {
	var next *Blackout
	for i := range b {
		if b[i].From.After(t) && (next == nil || b[i].From.Before(next.From)) {
			next = &b[i]
		}
	}
	return next
}

// Over is the first moment from t on at which none holds.
func (b Blackouts) Over(t time.Time) time.Time {
	for holds := b.At(t); holds != nil; holds = b.At(t) {
		t = holds.Until
	}
	return t
}

// After are those that are not over at a moment.
func (b Blackouts) After(t time.Time) Blackouts {
	var left Blackouts
	for _, one := range b {
		if one.Until.After(t) {
			left = append(left, one)
		}
	}
	return left
}
