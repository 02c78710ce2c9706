package instance_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// hooked is a production of four with hooks, as lines of YAML below `hooks:` of its stage.
func hooked(t *testing.T, scenario string, hooks ...string) *wavetest.Scene {
	return wavetest.New(t, wavetest.Options{
		Scenario: scenario, Config: wavetest.ProductionOnly(func(file []byte) []byte {
			return wavetest.PlanWith("      - name: production\n",
				"      - name: production\n        hooks:\n          "+strings.Join(hooks, "\n          ")+"\n",
			)(wavetest.Unattended(file))
		}),
	})
}

// hookCommands are the commands of hooks, by instance, in the order in which they were sent: the last line of each.
func hookCommands(scene *wavetest.Scene) map[string][]string {
	sent := map[string][]string{}
	scene.Production(func(group *world.ScalingGroup) {
		for _, command := range group.Region.Commands() {
			if lines := command.Parameters["commands"]; strings.HasPrefix(command.Comment, "patchtide hook ") {
				id := command.Invocations[0].Instance.ID
				sent[id] = append(sent[id], lines[len(lines)-1])
			}
		}
	})
	return sent
}

// A hook runs on each instance, once, is told what it is about, and the evidence has what it said.
func TestAHookRunsOnceOnEachInstance(t *testing.T) {
	scene := hooked(t, "healthy", `before_snapshot: [{name: stop, run: 'echo stops $PATCHTIDE_INSTANCE of $PATCHTIDE_STAGE'}]`)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
	sent := hookCommands(scene)
	require.Len(t, sent, 4)
	for _, instance := range inProduction(result) {
		require.Len(t, sent[instance.ID], 1)
		require.Len(t, instance.Hooks, 1)
		ran := instance.Hooks[0]
		require.Equal(t, "stop", ran.Name)
		require.Equal(t, patch.BeforeSnapshot, ran.Point)
		require.Equal(t, "run", ran.Kind)
		require.Equal(t, patch.HookOK, ran.Result, "%s", ran.Why)
		require.Positive(t, ran.Took)
		var details patch.InstanceDetails
		require.NoError(t, scene.Store.GetInstance(t.Context(), result.WaveID, instance.ID, &details))
		require.Len(t, details.Hooks, 1)
		require.Equal(t, "stops "+instance.ID+" of production", details.Hooks[0].Output)
	}
	scene.RequireInvariants(result, wavetest.Except{})
}

func inProduction(result *patch.WaveResult) (instances []patch.InstanceResult) {
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			if stage.Name == "production" {
				instances = append(instances, group.Instances...)
			}
		}
	}
	return instances
}
