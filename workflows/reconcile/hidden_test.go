package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Anybody who may tag an instance could keep it unpatched for ever: the quarantine's tag hides it from waves only where
// it leads to a signed record of its quarantine.
func TestATagAloneHidesNobodyFromAWave(t *testing.T) {
	for name, tag := range map[string]func(id string) string{
		"any value": func(string) string { return "please" },
		"a record that is not there": func(id string) string {
			return "wave-0 " + wavetest.Staging + "/" + wavetest.Tokyo + "/" + id + " -"
		},
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			var tagged string
			scene.Sim.Inspect(func(w *world.World) {
				instance := w.Account(wavetest.Staging).Region(wavetest.Tokyo).Instances()[0]
				tagged = instance.ID
				instance.Tags[names.TagQuarantine] = tag(tagged)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			for _, instance := range result.Stages[0].Groups[0].Instances {
				if instance.ID == tagged {
					require.Equal(t, patch.Patched, instance.Outcome, "%+v", instance)
					require.Contains(t, strings.Join(instance.Notes, "\n"),
						"it carries the tag patchtide:quarantine, which is not believed: ")
					return
				}
			}
			t.Fatalf("%s is hidden: %v", tagged, wavetest.ProductionOutcomes(result))
		})
	}
}

func TestWhoIsHiddenFromAWaveIsTold(t *testing.T) {
	scene, id := quarantineOne(t, "staging", nil)
	scene.Again(scene.Env.Now().Add(time.Hour))
	scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "another", TaskQueue: names.TaskQueue})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	staging := result.Stages[0].Groups[0]
	for _, instance := range staging.Instances {
		require.NotEqual(t, id, instance.ID)
	}
	require.Contains(t, strings.Join(staging.Notes, "\n"), id+" is in quarantine")
}
