package schedule

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// Foreseen is one opening of one of several windows, as a preview tells it.
type Foreseen struct {
	Opening
	Window int           // its place among the windows, from 1
	Opens  *patch.Window // what opens; nil: it does not, and Note says why
}

// Preview lists the next n openings of all windows after a moment, in that order, and among them those that a blackout
// or a change of the clocks swallows. Of windows that overlap each has its line, and the later ones say so.
func (w Windows) Preview(after time.Time, n int) []Foreseen {
	var all []Foreseen
	for i, each := range w.Each {
		opens := 0
		for previous := after; opens < n; {
			lines := each.Preview(previous, 1)
			if len(lines) == 0 {
				break
			}
			for _, line := range lines {
				one := Foreseen{Opening: line, Window: i + 1}
				if !line.At.IsZero() {
					previous = line.At
					if w.foresee(&one); one.Opens != nil {
						opens++
					}
				}
				all = append(all, one)
			}
			if previous.Sub(after) > farthest {
				break
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Foreseen) int { return a.due(w).Compare(b.due(w)) })
	opens := 0
	for i, one := range all {
		if one.Opens != nil {
			opens++
		}
		if opens == n {
			return all[:i+1]
		}
	}
	return all
}

// farthest is how far a preview looks: a blackout of centuries swallows every opening.
const farthest = 10 * 366 * 24 * time.Hour

// foresee tells what opens, or why nothing does.
func (w Windows) foresee(one *Foreseen) {
	opens, why := w.Opening(w.Each[one.Window-1], one.At)
	if why != "" {
		one.Note = why
		return
	}
	one.Opens = opens
	if opens.Cut != "" {
		one.Note = joined(one.Note, "it closes early for "+opens.Cut)
	}
	if whole := w.At(one.At); whole != nil && whole.Opens.Before(one.At) {
		one.Note = joined(one.Note, fmt.Sprintf("it is one with the window of %s, and has no wave of its own",
			whole.Opens.Format(wallMinutes+" MST")))
	}
}

func joined(note, more string) string {
	if note == "" {
		return more
	}
	return note + "; " + more
}

// due is when it opens, or when it would by a clock that shows its time.
func (f Foreseen) due(w Windows) time.Time {
	if !f.At.IsZero() {
		return f.At
	}
	at, err := time.ParseInLocation(wallMinutes, f.Wall, w.Each[f.Window-1].Zone())
	if err != nil {
		return time.Time{}
	}
	return at
}
