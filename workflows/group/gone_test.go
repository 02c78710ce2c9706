package group_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

func TestAGroupThatSomebodyDeletes(t *testing.T) {
	for _, step := range []patch.Step{patch.StepStandby, patch.StepInstall, patch.StepBake} {
		t.Run(string(step), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.WhenAtStep(step, func(string) {
				scene.Sim.Inspect(func(w *world.World) {
					require.NoError(scene.T, w.Account(wavetest.Production).Region(wavetest.Tokyo).DeleteScalingGroup("web"))
				})
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.NotEqual(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, patch.Gone, wavetest.ProductionOutcomes(result)[0], "%+v", result.Stages[1])
			var members []string
			for _, group := range scene.Before.Groups {
				members = append(members, group.Members...)
			}
			scene.RequireInvariants(result, wavetest.Except{Deleted: []string{"production/ap-northeast-1/web"}, Out: members})
		})
	}
}
