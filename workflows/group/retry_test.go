package group_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What the last try of an instance came to is not forgotten by a retry that never takes it: its root volume was
// replaced, and that is told.
func TestARetryThatIsNotCarriedOutForgetsNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		then    patch.Verb
		outcome patch.Outcome // of its group
	}{
		{"it is rolled back", patch.RollBack, patch.RolledBack},
		{"it is aborted", patch.Abort, patch.Aborted},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := inOrder(4, "")
			options.Fleet = wavetest.FailsOnce(options.Fleet)
			scene := wavetest.New(t, options)
			scene.When(wavetest.InState(patch.StateOnHold), func(patch.WaveStatus) {
				scene.Frozen = patch.Freezes{{Account: "production", Actor: "boss", Reason: "sale"}}
				scene.MustTake(patch.Retry, wavetest.Because("it was the network"))
			})
			scene.When(func(status patch.WaveStatus) bool { return status.Waits() != "" }, func(patch.WaveStatus) {
				scene.MustTake(c.then, wavetest.Because("it was not"))
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			group := result.Stages[0].Groups[0]
			require.Equal(t, c.outcome, group.Outcome, reasons(result))
			require.Equal(t, patch.RolledBack, group.Instances[0].Outcome)
			require.NotEmpty(t, group.Instances[0].Reason)
			require.Nil(t, group.Instances[0].Earlier)
			require.Len(t, scene.Effects("CreateReplaceRootVolumeTask"), 1)
			status, answers := scene.Status()
			require.True(t, answers)
			require.Equal(t, 1, status.Stages[0].Groups[0].Tally[patch.RolledBack])
		})
	}
}
