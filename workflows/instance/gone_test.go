package instance_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

func TestAnInstanceThatSomebodyTerminatesIsGone(t *testing.T) {
	for _, step := range []patch.Step{patch.StepStandby, patch.StepInstall, patch.StepReturn, patch.StepBake} {
		t.Run(string(step), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Decide = []patch.Verb{patch.Skip, patch.Skip}
			victim := ""
			scene.WhenAtStep(step, func(instance string) {
				victim = instance
				scene.Sim.Inspect(func(w *world.World) {
					w.Account(wavetest.Production).Region(wavetest.Tokyo).Instance(instance).Terminate()
				})
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.NotEmpty(t, victim)
			group := result.Stages[1].Groups[0]
			at := slices.IndexFunc(group.Instances, func(i patch.InstanceResult) bool { return i.ID == victim })
			require.Equal(t, patch.Gone, group.Instances[at].Outcome, "%+v", group.Instances[at])
			scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{victim}})
		})
	}
}
