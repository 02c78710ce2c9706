package activities_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// windowsAt answers with the window of its own for a moment.
type windowsAt struct {
	activities.Plans
	window func(at time.Time) (*patch.Window, error)
}

func (w windowsAt) Window(_ string, at time.Time) (*patch.Window, error) { return w.window(at) }

func TestNextWindow(t *testing.T) {
	opens := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	own := patch.Window{Opens: opens, Cutoff: opens.Add(3 * time.Hour), Closes: opens.Add(4 * time.Hour)}
	later := patch.Window{
		Opens: opens.Add(24 * time.Hour), Cutoff: opens.Add(27 * time.Hour), Closes: opens.Add(28 * time.Hour),
	}
	for name, c := range map[string]struct {
		at    time.Time
		asked time.Time
		gives *patch.Window
		err   error
		want  *patch.Window
		why   string
	}{
		"before its cutoff, with too little left": {opens.Add(time.Hour), own.Cutoff, &later, nil, &later, ""},
		"past its cutoff":                         {own.Closes, own.Closes, &later, nil, &later, ""},
		"the schedule is at its end": {
			own.Closes, own.Closes, nil, errors.New("never opens again"), nil, "never opens again",
		},
		"the plan lost its window": {own.Closes, own.Closes, nil, nil, nil, "has no window any more"},
		"the same window again": {
			own.Closes, own.Closes, &own, nil, nil, "none opens after 2026-11-22T02:00:00Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			control := &activities.Control{Plans: windowsAt{window: func(at time.Time) (*patch.Window, error) {
				require.True(t, c.asked.Equal(at), at)
				return c.gives, c.err
			}}}
			next, err := control.NextWindow(t.Context(), activities.NextWindowInput{Plan: "web", Window: &own, At: c.at})
			require.NoError(t, err)
			require.Equal(t, c.want, next.Window)
			require.Contains(t, next.Why, c.why)
		})
	}
}

// A wave of a plan without a window may go on from now on, for a week, or until a blackout.
func TestNextWindowOfAPlanWithoutOne(t *testing.T) {
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	until := patch.Window{Opens: now, Cutoff: now.Add(time.Hour), Closes: now.Add(time.Hour)}
	for name, c := range map[string]struct{ gives, want *patch.Window }{
		"any time":         {nil, &patch.Window{Opens: now, Cutoff: now.AddDate(0, 0, 7), Closes: now.AddDate(0, 0, 7)}},
		"until a blackout": {&until, &until},
	} {
		t.Run(name, func(t *testing.T) {
			control := &activities.Control{Plans: windowsAt{window: func(at time.Time) (*patch.Window, error) {
				require.True(t, now.Equal(at), at)
				return c.gives, nil
			}}}
			next, err := control.NextWindow(t.Context(), activities.NextWindowInput{Plan: "web", At: now})
			require.NoError(t, err)
			require.Equal(t, c.want, next.Window)
		})
	}
}
