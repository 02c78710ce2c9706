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

// A machine that a schedule stops once it was patched is one less, until a person who knows of it lets the others go
// on.
func TestWhoIsStoppedMeanwhileRestsOnceAPersonGoesOn(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config:   wavetest.PlanWith("approval: {required: true, timeout: 24h}", "approval: {required: false}"),
		Fleet:    func(s *world.Scenario) { s.Accounts[0].Regions[0].Instances[0].Count = 3 },
	})
	scene.Decide = []patch.Verb{patch.Retry}
	var why []string
	scene.OnHold = func(status patch.WaveStatus) { why = append(why, status.Awaiting) }
	stopped := ""
	stop := func(instances []*world.Instance) {
		for i, it := range instances { // of three, the one that is patched by now
			if instances[(i+1)%3].Disk().PackageList() == instances[(i+2)%3].Disk().PackageList() {
				stopped = it.ID
				require.NoError(t, it.Stop())
			}
		}
	}
	scene.AtCall(wavetest.Staging, "StartAutomationExecution", 2, func() {
		scene.Env.RegisterDelayedCallback(func() { staged(scene, stop) }, 0)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Len(t, why, 1)
	require.Contains(t, why[0], stopped+": EC2 says stop")
	require.Len(t, result.Stages[0].Groups[0].Instances, 3)
	for _, instance := range result.Stages[0].Groups[0].Instances {
		require.Equal(t, patch.Patched, instance.Outcome)
	}
}

// A group of which everybody is stopped is no success, proves nothing to the next stage, and has each of them named.
func TestAGroupThatIsStoppedAsAWhole(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config:   wavetest.PlanWith("approval: {required: true, timeout: 24h}", "approval: {required: false}"),
	})
	var gaps []patch.Gap
	staged(scene, func(instances []*world.Instance) {
		for _, instance := range instances {
			require.NoError(t, instance.Stop())
			gaps = append(gaps, patch.Gap{Instance: instance.ID, Why: "it is stopped, and was left so"})
		}
	})
	scene.Play(func(story wavetest.Story) {
		story.Later(time.Hour)
		result := story.Wave("first")
		require.Equal(t, patch.Aborted, result.Outcome, "nobody let production begin")
		require.Contains(t, result.Reason, "did not prove the patches on staging/ap-northeast-1/Role=web skipped "+
			"(it had nobody to be patched)")
		require.Equal(t, patch.SucceededWithGaps, result.Stages[0].Outcome)
		group := result.Stages[0].Groups[0]
		require.Equal(t, patch.SucceededWithGaps, group.Outcome)
		require.Empty(t, group.Instances)
		require.ElementsMatch(t, gaps, group.Gaps)
		require.Empty(t, scene.Effects("EnterStandby"))
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
