package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestWhatAParkedWaveDoesNext(t *testing.T) {
	own := &patch.Window{Opens: noon, Cutoff: noon.Add(2 * time.Hour), Closes: noon.Add(3 * time.Hour)}
	opens := noon.Add(24 * time.Hour)
	next := &patch.Window{Opens: opens, Cutoff: opens.Add(2 * time.Hour), Closes: opens.Add(3 * time.Hour)}
	resume := &patch.Decision{Verb: patch.Resume}
	for _, c := range []struct {
		name     string
		standing *patch.Decision
		at       time.Time
		want     patch.ParkedStep
	}{
		{"past its cutoff", nil, own.Cutoff, patch.ParkedStep{Move: patch.ParkedWaits, Window: own, Until: opens}},
		{"resumed", resume, own.Cutoff, patch.ParkedStep{Move: patch.ParkedWaits, Window: own, Until: opens}},
		{
			"resumed while its own is open, extended or too short for one more", resume, own.Cutoff.Add(-time.Second),
			patch.ParkedStep{Move: patch.ParkedGoesOn, Window: own},
		},
		{
			"just before the next opens", resume, opens.Add(-time.Second),
			patch.ParkedStep{Move: patch.ParkedWaits, Window: own, Until: opens},
		},
		{"the next opens", resume, opens, patch.ParkedStep{Move: patch.ParkedGoesOn, Window: next}},
		{
			"the next opens, and nobody has resumed it", nil, opens,
			patch.ParkedStep{Move: patch.ParkedWaits, Window: next, Until: next.Cutoff},
		},
		{
			"resumed in the next", resume, next.Cutoff.Add(-time.Second),
			patch.ParkedStep{Move: patch.ParkedGoesOn, Window: next},
		},
		{"nobody by the next cutoff", nil, next.Cutoff, patch.ParkedStep{Move: patch.ParkedEnds, Window: next}},
		{"resumed, and no worker was there", resume, next.Cutoff, patch.ParkedStep{Move: patch.ParkedAsks, Window: next}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, patch.Parked{Window: own, Next: next, Standing: c.standing}.Step(c.at))
		})
	}
	parked := patch.Parked{Window: own, Next: next}
	require.Equal(t, opens, parked.Acts(own.Cutoff))
	require.Equal(t, opens.Add(time.Minute), parked.Acts(opens.Add(time.Minute)), "at once")
	extended, err := own.Extended(own.Closes.Add(time.Hour), own.Cutoff)
	require.NoError(t, err)
	parked.Extend(own, extended)
	require.Equal(t, own.Cutoff, parked.Acts(own.Cutoff), "at once, by the extended window")
	require.Same(t, next, parked.Next)
	parked.Extend(next, extended)
	require.Same(t, extended, parked.Next)
}

func TestVerbsOfAParkedWave(t *testing.T) {
	require.Contains(t, patch.VerbsParked(""), patch.Resume)
	require.Equal(t, patch.VerbsParked(""), patch.VerbsIn(patch.StateParked, true))
	require.Contains(t, patch.VerbsParked(patch.Approve), patch.Reject)
	for _, standing := range []patch.Verb{patch.Approve, patch.Retry, patch.Skip, patch.Resume} {
		require.NotContains(t, patch.VerbsParked(standing), patch.Resume)
		require.Subset(t, patch.VerbsParked(standing), []patch.Verb{patch.RollBack, patch.Abort})
	}
	require.ErrorContains(
		t, patch.VerbAllowed(patch.Retry, patch.StateParked, patch.VerbsParked(patch.Resume)),
		"the wave is parked: it takes roll_back, abort",
	)
}

// A standing verb that cannot be carried out, as another wave holds a group, is tried again until the window's cutoff.
func TestAStandingVerbIsTriedAgain(t *testing.T) {
	own := &patch.Window{Opens: noon, Cutoff: noon.Add(2 * time.Hour), Closes: noon.Add(3 * time.Hour)}
	opens := noon.Add(24 * time.Hour)
	next := &patch.Window{Opens: opens, Cutoff: opens.Add(2 * time.Hour), Closes: opens.Add(3 * time.Hour)}
	parked := patch.Parked{Window: own, Next: next}
	parked.Stand(&patch.Decision{Verb: patch.Resume})

	// In the last minute of its own window: the next one counts as if nobody had tried.
	parked.InVain(own.Cutoff.Add(-time.Minute))
	require.Contains(
		t, parked.Tells(own.Cutoff.Add(-time.Minute)),
		"is tried again when the next window opens at "+opens.Format(time.RFC3339),
	)
	require.Equal(
		t, patch.ParkedStep{Move: patch.ParkedWaits, Window: own, Until: own.Cutoff},
		parked.Step(own.Cutoff.Add(-time.Minute)),
	)
	require.Equal(t, patch.ParkedStep{Move: patch.ParkedWaits, Window: own, Until: opens}, parked.Step(own.Cutoff))
	require.False(t, parked.GivesUp())
	require.Equal(t, patch.ParkedGoesOn, parked.Step(opens).Move)

	parked.Stand(parked.Standing) // as if it was sent again
	at := opens
	var tries []time.Duration
	for parked.Step(at).Move != patch.ParkedAsks {
		switch step := parked.Step(at); step.Move {
		case patch.ParkedGoesOn:
			tries = append(tries, at.Sub(opens))
			parked.InVain(at)
		case patch.ParkedWaits:
			require.True(t, step.Until.After(at))
			require.Same(t, next, step.Window)
			require.Contains(t, parked.Tells(at), "tried again")
			at = step.Until
		default:
			require.Fail(t, string(step.Move))
		}
	}
	require.Equal(t, []time.Duration{
		0, time.Minute, 3 * time.Minute, 7 * time.Minute, 15 * time.Minute, 31 * time.Minute, 61 * time.Minute,
		91 * time.Minute,
	}, tries)
	require.Equal(t, next.Cutoff, at)
	require.True(t, parked.GivesUp(), "in another window nobody expects it")
	parked.Stand(nil)
	require.False(t, parked.GivesUp())
}
