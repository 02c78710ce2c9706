package schedule

import (
	"iter"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// Windows say when a plan's waves may begin something: in each of its windows, and in none of its blackouts. A window
// that opens in a blackout does not open, one that is open when a blackout begins closes there, and those that overlap
// are one. A plan without a window is open between its blackouts.
type Windows struct {
	Each      []Window
	Blackouts patch.Blackouts
}

const (
	// Longest is how long windows that are one may be open: what never closes is no window.
	Longest = 7 * 24 * time.Hour
	// longestOne is the longest that one window may be open (maximum of AWS's Duration, 24 hours).
	longestOne = 24 * time.Hour
	// longestBetween is how much of the time between two blackouts a plan without a window is told at once. A blackout
	// that is farther off is no wave's concern.
	longestBetween = 30 * 24 * time.Hour
)

// At is the window that is open at a moment and still starts instances, or else the next one; nil when none comes any
// more, or when the plan has none and no blackout is near.
func (w Windows) At(now time.Time) *patch.Window {
	if len(w.Each) == 0 {
		return w.between(now)
	}
	var one *patch.Window
	// What is open now has opened since then.
	for next := range w.openings(now.Add(-Longest - longestOne)) {
		switch {
		case one == nil:
			one = &next
		case !next.Opens.Before(one.Closes) && one.Cutoff.After(now):
			return one
		case !next.Opens.Before(one.Closes):
			one = &next
		default:
			join(one, next)
		}
		if one.Closes.Sub(one.Opens) > 2*Longest {
			return one // it never closes, which Endless refuses
		}
	}
	if one == nil || !one.Cutoff.After(now) {
		return nil
	}
	return one
}

// join lets a window go on with another that opens before it has closed.
func join(one *patch.Window, next patch.Window) {
	if next.Closes.After(one.Closes) {
		one.Closes, one.Cut = next.Closes, next.Cut
	}
	if next.Cutoff.After(one.Cutoff) {
		one.Cutoff = next.Cutoff
	}
}

// openings are the windows that open after a moment, in that order, less those that a blackout leaves nothing of.
func (w Windows) openings(after time.Time) iter.Seq[patch.Window] {
	return func(yield func(patch.Window) bool) {
		heads := make([]time.Time, len(w.Each))
		for i, each := range w.Each {
			heads[i], _ = each.Next(after)
		}
		for {
			first := -1
			for i, head := range heads {
				if !head.IsZero() && (first < 0 || head.Before(heads[first])) {
					first = i
				}
			}
			if first < 0 {
				return
			}
			opens := heads[first]
			heads[first], _ = w.Each[first].Next(opens)
			if window, why := w.Opening(w.Each[first], opens); why == "" && !yield(*window) {
				return
			}
		}
	}
}

// Shut begins what is said of a window that does not open.
const Shut = "it does not open: "

// Opening is one of the windows as it opens at a moment, less what a blackout takes of it; or why it does not open.
func (w Windows) Opening(one Window, opens time.Time) (*patch.Window, string) {
	if holds := w.Blackouts.At(opens); holds != nil {
		return nil, Shut + holds.String()
	}
	window := one.Opening(opens)
	next := w.Blackouts.Next(opens)
	if next == nil || !next.From.Before(window.Closes) {
		return window, ""
	}
	window.Closes, window.Cut = next.From, next.String()
	if cutoff := next.From.Add(-one.Cutoff); cutoff.Before(window.Cutoff) {
		window.Cutoff = cutoff
	}
	if !window.Cutoff.After(window.Opens) {
		return nil, Shut + next.String() + " leaves nothing of it before its cutoff"
	}
	return window, ""
}

// between is the time between two blackouts.
func (w Windows) between(now time.Time) *patch.Window {
	opens := w.Blackouts.Over(now)
	end := opens.Add(longestBetween)
	next := w.Blackouts.Next(opens)
	near := next != nil && next.From.Before(end)
	if !near && opens.Equal(now) {
		return nil
	}
	window := &patch.Window{Opens: opens, Cutoff: end, Closes: end}
	if near {
		window.Cutoff, window.Closes, window.Cut = next.From, next.From, next.String()
	}
	return window
}

// sampled is of how many windows Endless looks at the length.
const sampled = 60

// Endless reports whether the windows, without their blackouts, are found to be open for longer than Longest at once
// from a moment on.
func (w Windows) Endless(from time.Time) bool {
	w.Blackouts = nil
	if len(w.Each) == 0 {
		return false
	}
	for range sampled {
		window := w.At(from)
		if window == nil {
			return false
		}
		if window.Closes.Sub(window.Opens) > Longest {
			return true
		}
		from = window.Closes
	}
	return false
}
