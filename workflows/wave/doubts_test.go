package wave_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Where AWS's texts leave open what it does, a wave ends well either way: with each doubt in turn, in a wave that has
// no trouble, and whatever else it meets. go test plays one trouble with each doubt, in turn; `make sweep`, which sets
// PATCHTIDE_DOUBTS=all, every one.
func TestAWaveEndsWellWhateverAWSDoes(t *testing.T) {
	troubles := []struct {
		name string
		ends func(t *testing.T, doubted func(*world.Scenario))
	}{
		{"a patch that breaks", breaksUnder},
		{"a reboot that hangs", hangsUnder},
		{"a quarantine", quarantinesUnder},
	}
	for turn, doubt := range world.Doubts() {
		if doubt == world.DoubtNoStepTimeout {
			continue // such a region is refused: TestARegionWhoseDocumentHasNoTimeOutIsRefused
		}
		doubted := func(s *world.Scenario) { s.Doubts = []world.Doubt{doubt} }
		t.Run(string(doubt), func(t *testing.T) {
			t.Run("healthy", func(t *testing.T) { succeedsUnder(t, doubted) })
			for i, trouble := range troubles {
				if i == turn%len(troubles) || os.Getenv("PATCHTIDE_DOUBTS") == "all" {
					t.Run(trouble.name, func(t *testing.T) { trouble.ends(t, doubted) })
				}
			}
		})
	}
}

func succeedsUnder(t *testing.T, doubted func(*world.Scenario)) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: doubted})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	scene.RequireInvariants(result, wavetest.Except{})
}

func breaksUnder(t *testing.T, doubted func(*world.Scenario)) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Fleet: doubted})
	scene.Decide = []patch.Verb{patch.RollBack}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	scene.RequireInvariants(result, wavetest.Except{})
}

func hangsUnder(t *testing.T, doubted func(*world.Scenario)) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "stuck-reboot", Fleet: doubted})
	scene.Decide = []patch.Verb{patch.Skip}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
	require.Contains(t, wavetest.Outcomes(result)["production"], patch.RolledBack)
	scene.RequireInvariants(result, wavetest.Except{})
}

func quarantinesUnder(t *testing.T, doubted func(*world.Scenario)) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.FailsOnce(doubted),
		Config: wavetest.PlanWith("restore: root_volume", "restore: none"),
	})
	scene.Decide = []patch.Verb{patch.Skip}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, 1, wavetest.CountInProduction(result, patch.Quarantined), "%+v", result)
	victim := result.Stages[1].Groups[0].Instances[0].ID
	scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{victim}})
}

// A region whose AWS-RunPatchBaseline is older is refused before anything is touched.
func TestARegionWhoseDocumentHasNoTimeOutIsRefused(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(s *world.Scenario) {
		s.Doubts = []world.Doubt{world.DoubtNoStepTimeout}
	}})
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err, "has no parameter StepTimeoutSeconds in this region")
	require.Empty(t, scene.Effects("EnterStandby"))
	require.Empty(t, scene.Effects("SendCommand"))
}
