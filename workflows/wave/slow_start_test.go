package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// While a target group still spares a new target, a bake would watch a machine at rest: slow start comes on top.
func TestABakeOutlastsSlowStart(t *testing.T) {
	for name, slow := range map[string]time.Duration{"none": 0, "ten minutes": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(s *world.Scenario) {
				for a := range s.Accounts {
					for r := range s.Accounts[a].Regions {
						for g := range s.Accounts[a].Regions[r].TargetGroups {
							s.Accounts[a].Regions[r].TargetGroups[g].SlowStart = world.Duration(slow)
						}
					}
				}
			}})
			var baked time.Duration
			scene.WhenAtStep(patch.StepBake, func(string) {
				began := scene.Env.Now()
				scene.WhenAtStep(patch.StepStandby, func(string) { baked = scene.Env.Now().Sub(began) })
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.GreaterOrEqual(t, baked, 5*time.Minute+slow)
			require.Less(t, baked, 10*time.Minute+slow)
		})
	}
}
