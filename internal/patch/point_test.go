package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// A verb that arrives late was meant for what was asked before: it never answers the next question, or changes the next
// stage, by accident.
func TestAVerbMeansThePointThatItWasSentFor(t *testing.T) {
	at := func(stage string, hold int) patch.Point { return patch.Point{Stage: stage, Hold: hold} }
	blank, staging, production := patch.Point{}, at("staging", 1), at("production", 2)
	gates := []patch.Point{staging, production}
	for _, c := range []struct {
		name    string
		verb    patch.Verb
		named   patch.Point
		now     patch.Point
		state   patch.WaveState
		offered []patch.Point
		refused string
	}{
		{"the one that is asked", patch.Approve, production, production, patch.StateAwaitingApproval, gates, ""},
		{"the one before", patch.Approve, staging, production, patch.StateAwaitingApproval, gates, "is for stage staging"},
		{"its hold alone", patch.Approve, at("", 1), production, patch.StateAwaitingApproval, gates, "is for hold 1"},
		{"the hold alone that is asked", patch.Approve, at("", 2), production, patch.StateAwaitingApproval, gates, ""},
		{
			"the stage alone, asked once", patch.Approve, at("production", 0), production, patch.StateAwaitingApproval, gates, "",
		},
		{"nothing, asked once", patch.Approve, blank, staging, patch.StateAwaitingApproval, gates[:1], ""},
		{
			"nothing, asked twice", patch.Approve, blank, production, patch.StateAwaitingApproval, gates,
			"names no hold, and the wave has taken it at another one before",
		},
		{
			"a second hold of one stage", patch.Retry, at("staging", 0), at("staging", 2), patch.StateOnHold,
			[]patch.Point{staging, at("staging", 2)},
			"names no hold",
		},
		{"another question before", patch.Approve, blank, production, patch.StateAwaitingApproval, gates[1:], ""},
		{
			"a resume after a second pause", patch.Resume, at("staging", 1), at("staging", 2), patch.StatePaused,
			[]patch.Point{staging, at("staging", 2)},
			"is for hold 1",
		},
		{"a roll back of the only stage", patch.RollBack, blank, at("staging", 3), patch.StateOnHold, []patch.Point{
			at("staging", 0), staging, at("staging", 3),
		}, ""},
		{
			"a roll back that was meant for staging", patch.RollBack, blank, production, patch.StateRunning, gates,
			"names no stage, and the wave has taken it in another one before",
		},
		{
			"a roll back that names its stage", patch.RollBack, at("production", 0), production, patch.StateRunning, gates, "",
		},
		{
			"more groups for staging", patch.SetConcurrency, at("staging", 0), production, patch.StateRunning, gates, "for stage",
		},
		{"a pause means the same at any time", patch.Pause, blank, production, patch.StateRunning, gates, ""},
		{"a pause for something else", patch.Pause, staging, production, patch.StateRunning, gates, "is for stage staging"},
		{"an abort means the same", patch.Abort, blank, production, patch.StateOnHold, gates, ""},
		{
			"but not while things are put back", patch.Abort, blank, production, patch.StateRollingBack, gates,
			"abort names no hold",
		},
		{"as it was sent at the hold before", patch.Abort, staging, at("staging", 2), patch.StateRollingBack, gates, "hold 1"},
		{"to give up", patch.Abort, production, production, patch.StateAborting, gates, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := patch.WaveStatus{Stage: c.now.Stage, Hold: c.now.Hold, State: c.state, Awaiting: "Send approve."}
			err := c.verb.Means(c.named, status, c.offered)
			if c.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.refused)
			require.ErrorContains(t, err, "and is "+c.state.Words()+": Send approve. Look, and", "it says what the wave awaits now")
		})
	}
}

func TestEveryVerbIsAboutSomething(t *testing.T) {
	for _, verb := range patch.Verbs() {
		spec := verb.Spec()
		require.Contains(t, []patch.About{patch.AboutHold, patch.AboutStage, patch.AboutWave}, spec.About, verb)
		require.False(t, spec.Answers && spec.About != patch.AboutHold, "%s answers one hold", verb)
	}
}

// Each time that people are asked counts, and also the moment from which an abort gives up on what is put back.
func TestWhatBeginsAHold(t *testing.T) {
	require.True(t, patch.NewHold(patch.StateRunning, patch.StateOnHold))
	require.True(t, patch.NewHold(patch.StateOnHold, patch.StateRollingBack))
	require.False(t, patch.NewHold(patch.StateRollingBack, patch.StateRollingBack), "it stops first, then it puts back")
	require.False(t, patch.NewHold(patch.StateOnHold, patch.StateRunning), "its answer is carried out")
}
