package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Of a wave that was aborted on hold each group says what became of it, and how many instances ended in which way: one
// that was put back there is neither "not started" nor patched.
func TestAClosedWaveSaysWhatBecameOfEachGroup(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
	scene.Decide = []patch.Verb{patch.Abort}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	status, answered := scene.Status()
	require.True(t, answered)
	require.Equal(t, patch.StateClosed, status.State)
	for i, stage := range status.Stages {
		require.Equal(t, result.Stages[i].Outcome, stage.Outcome, stage.Name)
		for j, group := range stage.Groups {
			ended := result.Stages[i].Groups[j]
			require.Equal(t, ended.Outcome.Words(), group.Stands(), group.Group)
			require.Equal(t, patch.TallyOf(ended.Instances), group.Tally, group.Group)
		}
	}
	held := status.Stages[1].Groups[0]
	require.Equal(t, "aborted", held.Stands())
	require.Equal(t, "0 of 4 patched, 1 rolled back", held.Count().String())
}
