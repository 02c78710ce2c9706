package wave_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A manifest says by whom and how what it binds was proved: machines, boots, how long they soaked and who had let them
// begin. Who approved what is bound to it stands in the wave's document, beside its hash.
func TestAManifestTellsHowItWasProved(t *testing.T) {
	bound, after := wavetest.Bound, soaked("2h")
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
		return wavetest.PlanWith("      - name: staging\n", "      - name: staging\n        approval: {required: true, timeout: 24h}\n")(
			bound(after(file)))
	}})
	scene.MakeLists()
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	pinned := result.Stages[1].Pinned
	document, err := scene.Store.GetManifest(t.Context(), result.WaveID, pinned.SHA256)
	require.NoError(t, err)
	var made manifest.Manifest
	require.NoError(t, json.Unmarshal(document, &made))
	require.Equal(t, result.WaveID, made.WaveID)
	require.Len(t, made.Proofs, 2)
	for i, proof := range made.Proofs {
		told := result.Stages[0].Groups[0].Instances[i]
		require.Equal(t, told.BootID, proof.BootID)
		require.NotEmpty(t, proof.BootID)
	}
	require.Len(t, made.Stages, 1)
	staging := made.Stages[0]
	require.Equal(t, "staging", staging.Name)
	require.Equal(t, patch.Succeeded, staging.Outcome)
	require.NotNil(t, staging.Approved)
	require.Equal(t, "tester", staging.Approved.Actor)
	require.Equal(t, 2*time.Hour, staging.Soak.Until.Sub(staging.Soak.Since))
	require.False(t, staging.Soak.Ended.Before(staging.Soak.Until))

	var kept activities.WaveDocument
	require.NoError(t, scene.Store.ProvenWave(t.Context(), result.WaveID, &kept))
	require.Equal(t, pinned.SHA256, kept.Result.Stages[1].Pinned.SHA256)
	approved := kept.Status.Decisions[len(kept.Status.Decisions)-1]
	require.Equal(t, patch.Approve, approved.Verb)
	require.Equal(t, "production", approved.Stage)
}
