package group_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What the last try of an instance came to is not forgotten by a retry that never takes it: its root volume was
// replaced, and that is told.
func TestARetryThatIsNotCarriedOutForgetsNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		then    patch.Verb    // "": it is cancelled
		outcome patch.Outcome // of its group
	}{
		{"it is rolled back", patch.RollBack, patch.RolledBack},
		{"it is aborted", patch.Abort, patch.Aborted},
		{"it is cancelled", "", patch.Aborted},
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
				if c.then == "" {
					scene.Env.CancelWorkflow()
					return
				}
				scene.MustTake(c.then, wavetest.Because("it was not"))
			})
			result, err := scene.Run(wavetest.WebWave)
			if c.then == "" {
				var cancelled *temporal.CanceledError
				require.ErrorAs(t, err, &cancelled)
				result = &patch.WaveResult{}
				require.NoError(t, cancelled.Details(result))
			} else {
				require.NoError(t, err)
			}
			group := result.Stages[0].Groups[0]
			require.Equal(t, c.outcome, group.Outcome, reasons(result))
			require.Equal(t, patch.RolledBack, group.Instances[0].Outcome)
			require.NotEmpty(t, group.Instances[0].Reason)
			require.Nil(t, group.Instances[0].LastTry)
			require.Len(t, scene.Effects("CreateReplaceRootVolumeTask"), 1)
		})
	}
}

// A group that is refused as a whole before the retry, and is skipped then, has skipped what was tried as it is: it was
// changed, and nothing says otherwise.
func TestARetryThatIsRefusedAndSkipped(t *testing.T) {
	options := inOrder(4, "")
	options.Fleet = wavetest.FailsOnce(options.Fleet)
	scene := wavetest.New(t, options)
	first := 0
	scene.When(wavetest.InState(patch.StateOnHold), func(status patch.WaveStatus) {
		first = status.Hold
		scene.Production(func(group *world.ScalingGroup) { require.NoError(t, group.Suspend([]string{"Launch"})) })
		scene.MustTake(patch.Retry, wavetest.Because("it was the network"))
	})
	skipped := false
	scene.When(func(status patch.WaveStatus) bool {
		return status.State == patch.StateOnHold && first > 0 && status.Hold > first
	}, func(patch.WaveStatus) {
		skipped = true
		scene.MustTake(patch.Skip, wavetest.Because("not tonight"))
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, skipped)
	group := result.Stages[0].Groups[0]
	require.Equal(t, patch.RolledBack, group.Instances[0].Outcome, reasons(result))
	require.True(t, group.Instances[0].PassedOver)
	for _, other := range group.Instances[1:] {
		require.Equal(t, patch.Skipped, other.Outcome)
	}
}

// A retry begins with what failed, also where what was put back has nothing that tells how exposed it is.
func TestARetryBeginsWithWhatFailed(t *testing.T) {
	options := inOrder(4, "        order: exposure\n")
	options.Fleet = wavetest.FailsOnce(options.Fleet)
	scene := wavetest.New(t, options)
	scene.Decide = []patch.Verb{patch.Retry}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	order := taken(result, 0)
	failed := scene.Effects("CreateReplaceRootVolumeTask")
	require.Len(t, failed, 1)
	require.Equal(t, failed[0].Resource, order[0].ID)
}
