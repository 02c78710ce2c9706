package wave_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// staged are staging's machines, which the plan chooses by a tag, by id.
func staged(scene *wavetest.Scene, do func([]*world.Instance)) {
	scene.Sim.Inspect(func(w *world.World) {
		instances := slices.DeleteFunc(slices.Clone(w.Account(wavetest.Staging).Region(wavetest.Tokyo).Instances()),
			func(i *world.Instance) bool { return i.Tags["Role"] != "web" })
		do(instances)
	})
}

// Who keeps machines stopped out of hours has the others patched, and is told who was not.
func TestAStoppedInstanceKeepsNobodyFromBeingPatched(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config:   wavetest.PlanWith("approval: {required: true, timeout: 24h}", "approval: {required: false}"),
	})
	var stopped string
	staged(scene, func(instances []*world.Instance) {
		require.NoError(t, instances[0].Stop())
		stopped = instances[0].ID
	})
	scene.Play(func(story wavetest.Story) {
		story.Later(time.Hour)
		result := story.Wave("first")
		require.Equal(t, patch.SucceededWithGaps, result.Outcome, "%+v", result)
		group := result.Stages[0].Groups[0]
		require.Len(t, group.Instances, 1, "the stopped one is not tried: %+v", group)
		require.Equal(t, patch.Patched, group.Instances[0].Outcome)
		require.Equal(t, []patch.Gap{{Instance: stopped, Why: "it is stopped, and was left so"}}, group.Gaps)
		require.Len(t, group.Notes, 1)
		require.Contains(t, group.Notes[0], stopped+": EC2 says stopped (User initiated (")
	})
}

// Nodes that Karpenter launched are in no Auto Scaling group, and a tag that everything carries chooses them.
func TestInstancesThatAServiceOperatesAreRefused(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	staged(scene, func(instances []*world.Instance) { instances[1].Tags["karpenter.sh/nodepool"] = "default" })
	result, err := scene.Run(wavetest.WebWave)
	require.Nil(t, result)
	require.ErrorContains(t, err, "OperatedByService")
	require.ErrorContains(t, err, "Karpenter (tag karpenter.sh/nodepool)")
	require.Empty(t, scene.Mutations(wavetest.Staging))
}
