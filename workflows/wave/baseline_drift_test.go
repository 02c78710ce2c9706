package wave_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// A baseline that somebody changed is put back by the wave, and the group of its account tells what differed and since
// when; the others tell nothing.
func TestAWaveTellsThatItsBaselineDiffered(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	heard := scene.Listen("chat")
	drift(t, scene)
	var last patch.WaveStatus
	scene.OnLook = func(status patch.WaveStatus) { last = status }
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Len(t, last.Stages, 2)
	require.Empty(t, last.Stages[0].Groups[0].BaselineDiffered, "it was made")
	differed := last.Stages[1].Groups[0].BaselineDiffered
	require.Contains(t, differed, `rejected patches is "kernel*", should be nothing`)
	require.Contains(t, differed, "it was changed last on ")
	told := brief.Write(last, patch.Waits{}, brief.UTC, brief.UTC)
	require.Contains(t, told.Groups, "production/ap-northeast-1/web: its baseline differed from the file, and the wave "+
		"made it equal: "+differed)
	requireDrift(t, heard, "production/ap-northeast-1 amazon-linux-2023: "+differed)
}

// requireDrift asks that people were told once of a baseline that differed, and of nothing else that did.
func requireDrift(t *testing.T, heard *wavetest.Speakers, finding string) {
	t.Helper()
	drifts := slices.DeleteFunc(slices.Clone(heard.Heard["chat"]), func(told patch.Notice) bool {
		return told.Kind != patch.NoticeDrift
	})
	require.Len(t, drifts, 1)
	require.Equal(t, []string{finding}, drifts[0].Findings)
	require.Contains(t, drifts[0].WhatToDo, "the baselines are as they say again")
}

// drift has production's baseline reject what its file does not.
func drift(t *testing.T, scene *wavetest.Scene) {
	t.Helper()
	scene.Sim.Inspect(func(w *world.World) {
		_, err := w.Account(wavetest.Production).Region(wavetest.Tokyo).CreateBaseline(world.Baseline{
			Name: "patchtide-amazon-linux-2023", OS: "AMAZON_LINUX_2023", Rejected: []string{"kernel*"},
		})
		require.NoError(t, err)
	})
}

// A scan finds it as well, and tells it of the group whose account it is in.
func TestAScanTellsThatItsBaselineDiffered(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	heard := scene.Listen("chat")
	drift(t, scene)
	scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "scan-test", TaskQueue: names.TaskQueue})
	scene.Env.ExecuteWorkflow(names.ScanFleet, workflows.ScanRequest{Plan: "web"})
	require.NoError(t, scene.Env.GetWorkflowError())
	var fleet workflows.FleetScan
	require.NoError(t, scene.Env.GetWorkflowResult(&fleet))
	require.Len(t, fleet.Groups, 2)
	for _, group := range fleet.Groups {
		if group.Account == "staging" {
			require.Empty(t, group.BaselineDiffered, "it was made")
			continue
		}
		require.Contains(t, group.BaselineDiffered, `rejected patches is "kernel*", should be nothing`)
		require.Contains(t, group.BaselineDiffered, "it was changed last on ")
		requireDrift(t, heard, "production/ap-northeast-1 amazon-linux-2023: "+group.BaselineDiffered)
	}
}
