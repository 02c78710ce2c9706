package schedule

import (
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// Window is a schedule with what follows an opening, in hours that pass: a change of the clocks makes no window longer.
type Window struct {
	*Schedule
	Duration time.Duration
	Cutoff   time.Duration // before the end: nothing new is started from then on
	Jitter   time.Duration // by how much at most a scheduled start is put off
}

// Opening is the window that opens at a moment.
func (w Window) Opening(opens time.Time) *patch.Window {
	closes := opens.Add(w.Duration)
	return &patch.Window{Opens: opens, Cutoff: closes.Add(-w.Cutoff), Closes: closes}
}
