package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Where no backup is kept a roll back puts nothing back: whoever asks for one is told so before and after, and never
// that anything was.
func TestARollBackWhereNoBackupIsKept(t *testing.T) {
	const nothing = "nothing can be put back: no backup is kept; 2 stay patched"
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.FailsOnce(nil),
		Config: wavetest.PlanWith("backup: snapshot", "backup: none", "restore: root_volume", "restore: none"),
	})
	scene.Decide, scene.Scope = []patch.Verb{patch.RollBack}, patch.ScopeWave
	var held patch.WaveStatus
	scene.OnHold = func(status patch.WaveStatus) { held = status }
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Contains(t, held.Awaiting, nothing)
	require.Equal(t, nothing, held.RollsBack.Nothing(patch.ScopeWave))
	require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
	require.Equal(t, []patch.Outcome{patch.Failed, patch.Failed}, wavetest.Outcomes(result)["staging"])

	status, answers := scene.Status()
	require.True(t, answers)
	require.Equal(t, nothing, status.RollsBack.Nothing(patch.ScopeWave))
	require.Contains(t, brief.Write(status, patch.Waits{}, brief.UTC, brief.UTC).Worries,
		brief.Worry{Kind: brief.WorryStillPatched, What: nothing})
	page := console.Status(status, patch.Waits{}, console.Page{})
	require.Contains(t, page, "2 of 2 still patched")
	require.Contains(t, page, "2 instances could not be put back: still patched")
	require.NotContains(t, page, "web: rolled back", "of no group")
	require.NotContains(t, page, "2 failed")
}
