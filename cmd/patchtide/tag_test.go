package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patchtags"
)

// Who lacks the tag is shown, asked for, given it, and seen with it; who is in another patch group stays there.
func TestTag(t *testing.T) {
	sim := simulated(t)
	at := []string{"--config", file(t)}
	tag := func(more ...string) []string { return append(append([]string{"tag"}, more...), at...) }
	var lacking, another string
	web := func(do func(*world.Region, *world.ScalingGroup)) {
		sim.Inspect(func(w *world.World) {
			region := w.Account(simtest.Production.Account.ID).Region(simtest.Tokyo)
			group, err := region.ScalingGroup("web")
			require.NoError(t, err)
			do(region, group)
		})
	}
	web(func(region *world.Region, group *world.ScalingGroup) {
		instances := region.Instances()
		lacking, another = instances[0].ID, instances[1].ID
		delete(instances[0].Tags, "PatchGroup")
		delete(instances[1].Tags, "PatchGroup")
		instances[1].Tags["Patch Group"] = "theirs"
	})
	code, _, stderr := call(t, tag()...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--plan is missing")
	code, _, stderr = call(t, tag("--plan", "web")...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "nobody can be asked here")
	code, _, stderr = call(t, tag("--plan", "wob")...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, `there is no plan "wob"`, "not that nobody can be asked")

	code, stdout, stderr := call(t, tag("--plan", "web", "--dry-run")...)
	require.Equal(t, exitGaps, code, stderr)
	require.Contains(t, stdout, "  "+lacking+" lacks PatchGroup=amazon-linux-2023\n")
	require.Contains(t, stdout, "  "+another+" is in another patch group, and stays there (Patch Group=theirs)")
	require.Contains(t, stdout, "1 lack it, 1 in another patch group, 0 excluded, 0 failed")
	require.Zero(t, sim.Calls()["ec2:CreateTags"])

	code, stdout, stderr = call(t, tag("--plan", "web", "--yes")...)
	require.Equal(t, exitGaps, code, stderr)
	require.Contains(t, stdout, "  "+lacking+" has PatchGroup=amazon-linux-2023 now\n")
	require.Equal(t, 1, sim.Calls()["ec2:CreateTags"])
	web(func(region *world.Region, _ *world.ScalingGroup) {
		require.Equal(t, "amazon-linux-2023", region.Instance(lacking).Tags["PatchGroup"])
		require.NotContains(t, region.Instance(another).Tags, "PatchGroup")
		delete(region.Instance(another).Tags, "Patch Group")
		region.Instance(another).Tags["PatchGroup"] = "amazon-linux-2023"
	})
	code, stdout, stderr = call(t, tag("--plan", "web", "--yes", "--json")...)
	require.Equal(t, exitDone, code, stderr)
	var states []patchtags.State
	require.NoError(t, json.Unmarshal([]byte(stdout), &states))
	require.Len(t, states, 2)
	require.Equal(t, 6, states[0].Count(patchtags.Right)+states[1].Count(patchtags.Right))
	require.Equal(t, 1, sim.Calls()["ec2:CreateTags"], "nothing is set twice")

	adopts := []string{"tag", "--plan", "web", "--dry-run", "--config", file(t, "baseline: amazon-linux-2023",
		"baseline: {adopt: true}")}
	code, stdout, stderr = call(t, adopts...)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "judged by whatever Systems Manager has: no tag is needed")
}
