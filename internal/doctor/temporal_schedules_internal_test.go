package doctor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/schedules"
)

// What runs by itself only once somebody has asked for it is told, with the command that asks.
func TestWhatDoesNotRunByItselfIsTold(t *testing.T) {
	window := func(change func(*schedules.State)) Result {
		state := schedules.State{Plan: "web", Schedule: "patchtide-window-web", Exists: true}
		change(&state)
		return scheduledWindow(state)
	}
	for name, c := range map[string]struct {
		result     Result
		state      State
		says, mend string
	}{
		"reconcile was never asked for": {
			scheduledReconcile(schedules.ReconcileState{}), Unknown, "does not run by itself",
			"`patchtide reconcile schedule --every 1h`",
		},
		"reconcile is paused": {
			scheduledReconcile(schedules.ReconcileState{Exists: true, Paused: true, Note: "ana: freeze"}), Unknown,
			"paused: ana: freeze", "`patchtide reconcile schedule --resume`",
		},
		"reconcile runs": {scheduledReconcile(schedules.ReconcileState{Exists: true, Every: "1h0m0s"}), OK, "1h0m0s", ""},
		"a window that starts nothing": {
			window(func(s *schedules.State) { s.Exists = false }), Unknown, "plan web starts no waves",
			"`patchtide schedule sync`",
		},
		"a window that is paused": {
			window(func(s *schedules.State) { s.Paused, s.Note = true, "ana: holidays" }), Unknown, "ana: holidays",
			"`patchtide schedule resume web --reason WHY`",
		},
		"a schedule that somebody edited": {
			window(func(s *schedules.State) {
				s.Drift = []schedules.Difference{{What: "jitter", Found: "1h0m0s", Wanted: "0s"}}
			}), Problem, "jitter is 1h0m0s instead of 0s", "`patchtide schedule sync`",
		},
		"a schedule whose plan has no window": {
			window(func(s *schedules.State) { s.Orphan = true }), Problem, "still starts waves", "`patchtide schedule sync`",
		},
		"a window whose last opening started none": {
			window(func(s *schedules.State) {
				s.Last = &schedules.Opening{
					At: time.Date(2026, 11, 28, 17, 0, 0, 0, time.UTC), Outcome: schedules.NoWave, Says: "started no wave: frozen",
				}
			}), Unknown, "its opening of 2026-11-28T17:00:00Z: started no wave: frozen",
			"`patchtide schedule list`, and docs/runbook.md, \"A window passed without a wave\"",
		},
		"a window that starts waves": {window(func(*schedules.State) {}), OK, "starts waves by itself", ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.state, c.result.State)
			require.Contains(t, c.result.Says, c.says)
			require.Equal(t, c.mend, c.result.Mend)
		})
	}
}
