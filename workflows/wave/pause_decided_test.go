package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What a person decides while the wave is paused and an instance is under way stops that one as it does in a wave that
// runs: one that was not touched yet does not get what is to be put back.
func TestWhatIsDecidedInAPauseStopsTheInstanceUnderWay(t *testing.T) {
	for _, verb := range []patch.Verb{patch.RollBack, patch.Abort} {
		t.Run(string(verb), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			state := map[patch.Verb]patch.WaveState{patch.RollBack: patch.StateRollingBack, patch.Abort: patch.StateAborting}
			installs := 0
			scene.When(scene.InProduction, func(patch.WaveStatus) { scene.MustTake(patch.Pause, wavetest.Because("hm")) })
			scene.When(func(s patch.WaveStatus) bool { return s.State == patch.StatePaused }, func(patch.WaveStatus) {
				installs = len(scene.Effects("StartAutomationExecution"))
				scene.MustTake(verb, wavetest.Because("bad"))
			})
			stood := false
			scene.When(func(s patch.WaveStatus) bool { return s.State == state[verb] }, func(s patch.WaveStatus) {
				stood = true
				require.False(t, s.Paused(), "it is at work: nobody waits for a resume")
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, stood)
			require.Len(t, scene.Effects("StartAutomationExecution"), installs, "nothing was installed after that")
			require.Equal(t, 4, wavetest.CountInProduction(result, patch.NotStarted), "%+v", result)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Canaries that have baked are put back by a roll back in a pause one group after the other, as ever, and it is told.
func TestARollBackInAPauseOnceCanariesHaveBaked(t *testing.T) {
	scene := wavetest.New(t, canaries(""))
	paused := false
	scene.When(func(s patch.WaveStatus) bool {
		return groupsIn(s, patch.GroupStepDone) == 1 && groupsIn(s, patch.GroupPatching) == 1
	}, func(patch.WaveStatus) {
		scene.MustTake(patch.Pause, wavetest.Because("hm"))
		paused = true
	})
	scene.When(func(s patch.WaveStatus) bool { return paused && groupsIn(s, patch.GroupStepDone) == 2 },
		func(patch.WaveStatus) { scene.MustTake(patch.RollBack, wavetest.Because("bad")) })
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, paused)
	require.Equal(t, patch.RolledBack, result.Outcome, result.Reason)
	canaries := byStart(result)
	require.Len(t, canaries, 2)
	for _, canary := range canaries {
		require.Equal(t, patch.RolledBack, canary.Outcome, canary.Reason)
	}
	scene.RequireInvariants(result, wavetest.Except{})
}

func groupsIn(status patch.WaveStatus, phase patch.GroupPhase) (count int) {
	for _, group := range status.Stages[0].Groups {
		if group.Phase == phase {
			count++
		}
	}
	return count
}
