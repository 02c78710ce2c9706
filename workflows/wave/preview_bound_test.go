package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// Before anything is done a plan says from which version to which production would come by what was proved, and what it
// misses that nothing has proved yet.
func TestAPreviewTellsWhatWouldBindProduction(t *testing.T) {
	const curl, old, proved, newer = "curl-minimal.x86_64", "0:8.11.1-4.amzn2023.0.1", "0:8.11.1-4.amzn2023.0.3", "0:99.0-1"
	scene := wavetest.New(t, pinned("healthy", nil))
	scene.MakeLists()
	scanFirst(scene, time.Hour)
	preview := previewOf(scene, ofWeb)
	require.Nil(t, preview.Stages[0].Bound, "nothing binds the first")
	require.Nil(t, preview.Stages[1].Bound.Manifest)
	require.Len(t, preview.Stages[1].Bound.NotYet, 6)
	require.Contains(t, preview.Stages[1].Bound.NotYet, curl+" "+proved)

	scene.Again(scene.Env.Now().Add(time.Hour))
	first := names.ScheduledWave("web", scene.Env.Now())
	scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: first, TaskQueue: names.TaskQueue})
	scene.Silent = true
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
		scene.MustTake(patch.Reject, wavetest.Because("not tonight"))
	})
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	published(scene, newer)
	scene.Again(scene.Env.Now().Add(time.Hour))

	again := workflows.PreviewRequest{Plan: "web", Scan: true}
	bound := previewOf(scene, again, "SendCommand").Stages[1].Bound
	require.Equal(t, first, bound.Manifest.WaveID)
	require.Empty(t, bound.Unknown)
	require.Equal(t, []string{curl + " " + newer}, bound.NotYet)
	require.Len(t, bound.Systems, 1)
	require.Equal(t, patch.BoundPackage{
		Name: curl, From: []string{old}, To: proved, WaveID: first, Due: 4,
	}, bound.Systems[0].Packages[0])
}
