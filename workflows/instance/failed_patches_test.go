package instance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// The reason of a failed install is the machine's own word, not the agent's, and the patches that failed are named.
func TestAFailedInstallNamesItsPatches(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.FailsOnce(nil)})
	scene.Decide = []patch.Verb{patch.Abort}
	reasons := ""
	scene.OnHold = func(status patch.WaveStatus) { reasons = status.Awaiting }
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Contains(t, reasons, "Systems Manager lists as failed: ")
	require.Contains(t, reasons, "the package transaction failed")
	require.NotContains(t, reasons, "failed to run commands")
}
