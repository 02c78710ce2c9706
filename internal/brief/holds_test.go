package brief_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
)

var cutoff = time.Date(2026, 11, 22, 3, 30, 0, 0, time.UTC)

func windowed(state patch.WaveState) patch.WaveStatus {
	return patch.WaveStatus{
		WaveID: "wave-1", State: state, Stage: "production", Verbs: patch.VerbsIn(state, true),
		Window: &patch.Window{Cutoff: cutoff, Closes: cutoff.Add(time.Hour)},
		Stages: []patch.StageStatus{{Name: "production", Groups: []patch.GroupCounts{{
			Group: "production/ap-northeast-1/web", Phase: patch.GroupHeld, Reason: "its canary failed",
		}}}},
	}
}

// An answer that comes after the cutoff begins nothing: whoever thinks about it until then is told before.
func TestUntilWhenAnythingBegins(t *testing.T) {
	const begins = "Nothing begins from 2026-11-22 03:30:00 UTC on, the window's cutoff."
	const late = " An answer after that lets the wave wait for its next window; where none follows it ends."
	parked := windowed(patch.StateOnHold)
	parked.Window = nil
	for _, c := range []struct {
		name   string
		status patch.WaveStatus
		want   string
	}{
		{"it runs", windowed(patch.StateRunning), begins},
		{"it asks for an approval", windowed(patch.StateAwaitingApproval), begins + late},
		{"it is on hold", windowed(patch.StateOnHold), begins + late},
		{"it puts back, which needs no window", windowed(patch.StateRollingBack), ""},
		{"it waits for another window", windowed(patch.StateParked), ""},
		{"it has closed", windowed(patch.StateClosed), ""},
		{"it has no window", parked, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, brief.Write(c.status, patch.Waits{}, brief.UTC, brief.UTC).Window)
		})
	}
	notice := patch.Notice{
		Kind: patch.NoticeOnHold, Cutoff: &cutoff, Verbs: []patch.Verb{patch.Retry, patch.Abort},
	}
	require.Equal(t, begins+late, brief.Told(notice).Window(brief.UTC), "a notice says the same")
}

// Whoever answers under a freeze is told that nothing begins, and how that ends; once.
func TestWhatAFreezeHolds(t *testing.T) {
	freeze := patch.Freeze{Account: "production", Actor: "ann", Reason: "incident", Since: cutoff.Add(-time.Hour)}
	when := func(doc brief.Document, verb patch.Verb) string {
		for _, choice := range doc.Choices {
			if choice.Verb == verb {
				return choice.When
			}
		}
		return ""
	}
	waits := patch.Waits{Frozen: patch.Freezes{freeze}}
	status := windowed(patch.StateOnHold)
	doc := brief.Write(status, waits, brief.UTC, brief.UTC)
	require.Equal(t, []string{
		"account production is frozen by ann since 2026-11-22 02:30 UTC: incident. Nothing begins there until ann " +
			`takes that back: patchtide unfreeze --account production --reason "..." (` + patch.ForAll + ")",
	}, doc.Frozen)
	require.Equal(t, "if what failed has passed; nothing begins before the freeze is lifted", when(doc, patch.Retry))
	require.NotContains(t, when(doc, patch.RollBack), "freeze", "putting back is never held")

	status.Awaiting = "It failed. " + freeze.String() + ": nothing begins there until that is lifted."
	require.Empty(t, brief.Write(status, waits, brief.UTC, brief.UTC).Frozen, "it is said already")
}
