package wave_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/internal/worker"
)

// Whoever terminates a wave with its groups, or loses Temporal's database, leaves machines patched of which no document
// tells. The journal does: by it they are put back.
func TestAWaveThatNeverToldWhatItDidIsRolledBackFromItsJournal(t *testing.T) {
	for _, c := range []struct {
		name  string
		wrote bool
	}{
		{"it had written nothing", false},
		{"it had written what was decided, and no result", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
			require.NoError(t, err)
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
			scene.Control.Evidence = worker.Journal(store)
			var result, again *patch.WaveResult
			scene.Play(func(story wavetest.Story) {
				require.Equal(t, patch.Succeeded, story.Wave("wave-1").Outcome)
				var document activities.WaveDocument
				require.NoError(t, store.GetWave(t.Context(), "wave-1", &document))
				require.NoError(t, os.RemoveAll(filepath.Join(folder, "waves", "wave-1", "history")))
				if c.wrote {
					document.Status.State, document.Result.Stages = patch.StateRunning, nil
					require.NoError(t, store.PutWave(t.Context(), "wave-1", document))
				}
				if result, err = story.RollBack("wave-1", false); err != nil {
					return
				}
				again, err = story.RollBack("wave-1", false)
			})
			require.NoError(t, err)
			require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, "wave wave-1 did not end by itself")
			require.Equal(t, []string{"staging", "production"}, []string{result.Stages[0].Name, result.Stages[1].Name})
			require.Contains(t, again.Reason, "nothing was left to put back")
			require.Equal(t, 6, restored(scene), "each once")
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}
