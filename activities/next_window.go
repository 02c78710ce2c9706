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
	Window patch.Window // the one that has ended on the wave, as extended
	At     time.Time    // the present, by Temporal's clock
}

// NextWindow is the window that follows; nil, and why, when there is none.
type NextWindow struct {
	Window *patch.Window
	Why    string
}

// NextWindow tells the window in which a wave can go on that one has ended on, by the worker's configuration as it is
// now. That there is none is an answer, no error: the wave ends then.
func (c *Control) NextWindow(_ context.Context, in NextWindowInput) (*NextWindow, error) {
	at := in.Window.Cutoff // what is open until then is the window itself
	if in.At.After(at) {
		at = in.At
	}
	next, err := c.Plans.Window(in.Plan, at)
	switch {
	case err != nil:
		return &NextWindow{Why: err.Error()}, nil
	case next == nil:
		return &NextWindow{Why: "the plan has no window any more"}, nil
	case !next.Opens.After(in.Window.Opens) || !next.Cutoff.After(at):
		return &NextWindow{Why: fmt.Sprintf("none opens after %s", in.Window.Opens.Format(time.RFC3339))}, nil
	}
	return &NextWindow{Window: next}, nil
}
