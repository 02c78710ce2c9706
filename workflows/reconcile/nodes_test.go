package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// tagged are the managed nodes that carry a tag.
func tagged(scene *wavetest.Scene, key string) (ids []string) {
	scene.EachRegion(func(region *world.Region) {
		for _, node := range region.Nodes() {
			if node.Tags[key] != "" {
				ids = append(ids, node.ID)
			}
		}
	})
	return ids
}

func TestReconcileHealsTheNodesOfADeadWave(t *testing.T) {
	for _, c := range []struct {
		name      string
		balanced  []string
		operation string
		out       bool // it is quarantined: nothing puts back what the install has touched
	}{
		{name: "a mark", operation: "AddTagsToResource"},
		{name: "an install that ran on where nothing is balanced", operation: "StartAutomationExecution"},
		{name: "deregistered targets", balanced: []string{"tills"}, operation: "DeregisterTargets"},
		{
			name: "deregistered targets and an install", balanced: []string{"tills"}, operation: "StartAutomationExecution",
			out: true,
		},
		{name: "one on its way back", balanced: []string{"tills"}, operation: "RegisterTargets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Tills("web-2.3", c.balanced...), Config: wavetest.TillPlan,
			})
			scene.DieAt(wavetest.Staging, c.operation, 1)
			marked := tagged(scene, names.TagJournal)
			require.Len(t, marked, 1)
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Equal(t, []string{"instance " + marked[0]}, wavetest.Resources(result.Healed))
			require.Empty(t, result.Failed)
			require.Empty(t, result.Untrusted)
			require.Empty(t, tagged(scene, names.TagJournal))
			except := wavetest.Except{}
			if c.out {
				except.Out = marked
			}
			scene.RequireInvariants(nil, except)
			require.Equal(t, except.Out, tagged(scene, names.TagQuarantine))
			again := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, slices.Concat(again.Healed, again.Untrusted))
			require.Empty(t, again.Failed)
		})
	}
}

// A node whose install failed behind a load balancer stays out of it until somebody has mended it: a release brings it
// back.
func TestAQuarantinedNodeIsReleasedAndNeverTerminated(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.TillPlan,
		Fleet: wavetest.WithFaults(wavetest.Tills("web-2.3", "tills"), world.WorldFault{
			Kind: world.FaultInstallFails, Account: "staging",
		}),
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Empty(t, result.Stranded)
	broken := result.Stages[0].Groups[0].Instances[0]
	require.Equal(t, patch.Quarantined, broken.Outcome, "%+v", broken)
	require.Equal(t, []string{broken.ID}, tagged(scene, names.TagQuarantine))

	terminate := wavetest.ReleaseRequest(broken.ID)
	terminate.Verb = patch.QuarantineTerminate
	_, err = scene.EndQuarantine(terminate)
	require.ErrorContains(t, err, "is a managed node, which AWS cannot terminate")

	later := scene.Reconcile(workflows.ReconcileRequest{}, 300*time.Hour)
	require.Equal(t, []string{"instance " + broken.ID}, wavetest.Resources(later.Quarantined), "no time ends it")

	released, err := scene.EndQuarantine(wavetest.ReleaseRequest(broken.ID))
	require.NoError(t, err)
	require.Equal(t, patch.Released, released.Ended.Outcome, "%+v", released.Ended)
	require.Empty(t, tagged(scene, names.TagQuarantine))
	scene.RequireInvariants(nil, wavetest.Except{})
}
