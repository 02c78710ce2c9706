package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows/wave"
)

// A run that Temporal has put in the place of one that was reset orders nobody: its groups were the other one's. It
// ends at once, touches and writes nothing, and says how what was patched is put back.
func TestAWaveThatWasResetTouchesNothing(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Orphaned = true // the run that this one's history began with has closed
	_, err := scene.Run(wavetest.WebWave)
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, wave.ErrReset, failure.Type())
	require.True(t, failure.NonRetryable())
	require.Contains(t, failure.Message(), "`patchtide wave roll-back wave-test` puts back what it had patched")
	require.Empty(t, scene.Mutations(wavetest.Staging))
	require.Empty(t, scene.Mutations(wavetest.Production))
	var missing *evidence.NotFoundError
	require.ErrorAs(t, scene.Store.GetWave(t.Context(), "wave-test", &activities.WaveDocument{}), &missing)
}
