package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// What a wave did before it was parked stays in its evidence while it goes on: one that is terminated then can be rolled back by it.
func TestAParkedWaveThatIsTerminatedInItsSecondWindowCanBeRolledBack(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: func(file []byte) []byte { return unattended(quick(file)) }})
	next := b.twoWindows(inTheMiddle)
	b.env.SetWorkflowRunTimeout(next.Sub(b.env.Now()) + 2*time.Hour) // then it ends without running any code
	b.env.SetDetachedChildWait(false)
	var earlier []string
	b.when(isParked, func(patch.WaveStatus) {
		earlier = b.patchedNow()
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Resume, asked("go on at night")) }, time.Hour)
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Pause, asked("lunch")) }, next.Sub(b.env.Now())+5*time.Minute)
	})
	_, err := b.run(theWeb)
	require.Error(t, err)
	require.Len(t, b.patchedNow(), 3, "another in the second window, whose result died with the wave")

	var document activities.WaveDocument
	require.NoError(t, b.store.GetWave(t.Context(), "wave-test", &document))
	require.Equal(t, patch.StatePaused, document.Status.State)
	require.Equal(t, []patch.Outcome{patch.Patched, patch.Patched, patch.NotStarted, patch.NotStarted}, production(&document.Result))

	b.again(b.env.Now().Add(time.Hour))
	b.play(func(h history) {
		h.refusedAs("wave-test", false, workflows.ErrDataLoss, "rollback_max_age (24h")
		result, err := h.rollBack("wave-test", true)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
		require.Contains(t, result.Reason, "wave wave-test was terminated after it had been parked: what it patched after its evidence was written is not in it")
		require.Len(t, production(result), 2)
	})
	for _, id := range earlier {
		require.NotContains(t, b.patchedNow(), id)
	}
	require.Len(t, b.patchedNow(), 1)
}

// A group that is terminated in the second window keeps in the wave's result what it had done in the first.
func TestAGroupThatIsTerminatedInItsSecondWindowKeepsItsFirst(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: func(file []byte) []byte { return unattended(quick(file)) }})
	next := b.twoWindows(inTheMiddle)
	b.when(isParked, func(patch.WaveStatus) {
		b.terminatedGroup("web")
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Resume, asked("go on at night")) }, time.Hour)
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
	require.True(t, b.env.Now().After(next))
	require.Equal(t, []patch.Outcome{patch.Patched, patch.Patched, patch.NotStarted, patch.NotStarted}, production(result))
	require.Contains(t, result.Stranded[0].Resource, "group web")
}
