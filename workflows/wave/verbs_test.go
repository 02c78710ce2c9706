package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

func TestRetryTriesTheFailedInstanceAgain(t *testing.T) {
	for name, fleet := range map[string]func(*world.Scenario){
		"decrement": wavetest.Sized(2, 4, 6), "surge": wavetest.Sized(4, 4, 4),
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.FailsOnce(fleet)})
			scene.Decide = []patch.Verb{patch.Retry}
			scene.OnHold = func(status patch.WaveStatus) {
				require.Contains(t, status.Awaiting, "Send retry, skip, roll back or abort.")
				require.Equal(t, []patch.Verb{patch.Retry, patch.Skip, patch.RollBack, patch.Abort}, status.Verbs)
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
			scene.RequireInvariants(result, wavetest.Except{})
			require.Len(t, scene.Effects("StartAutomationExecution"), 7, "the failed one twice, under another token")
		})
	}
}

func TestRollBackOfTheWaveReachesStagingToo(t *testing.T) {
	for _, c := range []struct {
		name    string
		scope   patch.Scope
		staging patch.Outcome
		toBack  int // from the beginning of it
	}{
		{"stage by default", "", patch.Patched, 2},
		{"wave", patch.ScopeWave, patch.RolledBack, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy",
				// The third install in production fails, so that two patched instances are there to be put back.
				Fleet: wavetest.WithFaults(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 3}),
			})
			scene.Decide, scene.Scope = []patch.Verb{patch.RollBack}, c.scope
			toBack := 0
			scene.When(wavetest.InState(patch.StateRollingBack), func(status patch.WaveStatus) {
				for _, stage := range status.Stages {
					for _, group := range stage.Groups {
						toBack += group.Count().Back
					}
				}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
			require.Equal(t, c.toBack, toBack)
			require.Equal(t, []patch.Outcome{
				patch.RolledBack, patch.RolledBack, patch.RolledBack, patch.NotStarted,
			}, wavetest.ProductionOutcomes(result))
			require.Equal(t, []patch.Outcome{c.staging, c.staging}, wavetest.Outcomes(result)["staging"])
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// A wave need not be on hold: what is under way is put back or, once proven, finished, nothing else is begun, and then
// all of the stage goes back.
func TestRollBackOfAStageThatRuns(t *testing.T) {
	for i, c := range moments {
		if c.account != wavetest.Production || c.phase == "baseline" || c.phase == "first scan" || wavetest.SkipInShort(i) {
			continue
		}
		t.Run(c.phase, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.AtCall(c.account, c.operation, c.nth, func() { scene.Tell(patch.RollBack, "") })
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			want := patch.RolledBack
			if wavetest.CountInProduction(result, patch.RolledBack) == 0 { // it came before any was patched
				want = patch.NothingPutBack
				require.Zero(t, restored(scene))
			}
			require.Equal(t, want, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, "rolled back by tester")
			require.Zero(t, wavetest.CountInProduction(result, patch.Patched))
			require.Equal(t, 2, wavetest.Count(wavetest.Outcomes(result)["staging"], patch.Patched), "its scope is the stage")
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}
