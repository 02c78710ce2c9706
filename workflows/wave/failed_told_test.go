package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Whoever looks at a wave the morning after it was rolled back sees what failed, and why.
func TestAWaveThatWasRolledBackStillTellsWhatFailed(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.WithFaults(nil, world.WorldFault{
		Kind: world.FaultInstallFails, Account: "production", Times: 1,
	})})
	scene.When(func(s patch.WaveStatus) bool { return s.State == patch.StateOnHold }, func(patch.WaveStatus) {
		scene.MustTake(patch.RollBack, wavetest.Because("the patch is bad"))
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	status, answers := scene.Status()
	require.True(t, answers)
	doc := brief.Write(status, patch.Waits{}, brief.UTC, brief.UTC)
	require.Len(t, doc.Failures, 1, "and not those that were put back with it")
	require.Contains(t, doc.Failures[0], "rolled back: install: ")
	require.Empty(t, doc.Groups, "that a group was rolled back stands in its row")
	require.Contains(t, console.Status(status, patch.Waits{}, console.Page{}), "rolled back")
}
