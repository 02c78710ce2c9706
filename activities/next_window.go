package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// NextWindowInput asks for the window that follows one.
type NextWindowInput struct {
	Plan   string
	Window *patch.Window // the one that has ended on the wave, as extended; nil: it has none, and a calendar has closed
	At     time.Time     // the present, by Temporal's clock
}

// NextWindow is the window that follows; nil, and why, when there is none.
type NextWindow struct {
	Window *patch.Window
	Why    string
	// AnyTime: the plan has no windows, and Window only bounds for how long something is waited for.
	AnyTime bool
}

// longestShut is how long a wave of a plan without a window waits for its calendars: a Change Calendar tells when it
// opens, but others may close by then.
const longestShut = 7 * 24 * time.Hour

// NextWindow tells the window in which a wave can go on that one has ended on, by the worker's configuration as it is
// now. That there is none is an answer, no error: the wave ends then. A wave without a window, on which a calendar has
// closed, may go on from now on, as far as windows are concerned.
func (c *Control) NextWindow(_ context.Context, in NextWindowInput) (*NextWindow, error) {
	at := in.At
	if in.Window != nil && in.Window.Cutoff.After(at) {
		at = in.Window.Cutoff // what is open until then is the window itself
	}
	next, err := c.Plans.Window(in.Plan, at)
	switch {
	case err != nil:
		return &NextWindow{Why: err.Error()}, nil
	case next == nil && in.Window == nil:
		return &NextWindow{
			AnyTime: true, Window: &patch.Window{Opens: at, Cutoff: at.Add(longestShut), Closes: at.Add(longestShut)},
		}, nil
	case next == nil:
		return &NextWindow{Why: "the plan has no window any more"}, nil
	case in.Window != nil && (!next.Opens.After(in.Window.Opens) || !next.Cutoff.After(at)):
		return &NextWindow{Why: fmt.Sprintf("none opens after %s", in.Window.Opens.Format(time.RFC3339))}, nil
	}
	return &NextWindow{Window: next}, nil
}
