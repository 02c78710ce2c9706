package wave_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/internal/worker"
)

// Who may write to the evidence store could have every root volume replaced past what would be lost, were a wave's
// document believed that is not signed, or that does not follow the one before it.
func TestRollBackWaveActsOnNoDocumentThatIsNotProven(t *testing.T) {
	for _, c := range []struct {
		name  string
		alter func(history []string) error // the document's versions, the oldest first
		says  string
	}{
		{"its newest version says something else", func(history []string) error {
			return replaceIn(history[len(history)-1], `"outcome": "patched"`, `"outcome": "failed"`)
		}, "was altered"},
		{"a version by somebody else is put behind it", func(history []string) error {
			last := history[len(history)-1]
			content, err := os.ReadFile(last)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(filepath.Dir(last), fmt.Sprintf("%06d.json", len(history)+1)), content, 0o600)
		}, "was moved"},
		{"an older version is missing", func(history []string) error { return os.Remove(history[0]) }, "is missing although"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
			require.NoError(t, err)
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
			scene.Control.Evidence = worker.Journal(store)
			scene.Play(func(story wavetest.Story) {
				require.Equal(t, patch.Succeeded, story.Wave("wave-1").Outcome)
				var document activities.WaveDocument
				require.NoError(t, store.GetWave(t.Context(), "wave-1", &document))
				document.Hash += " (another version)"
				require.NoError(t, store.PutWave(t.Context(), "wave-1", document))
				history, err := filepath.Glob(filepath.Join(folder, "waves", "wave-1", "history", "*.json"))
				require.NoError(t, err)
				require.GreaterOrEqual(t, len(history), 2)
				clean, err := store.Verify(t.Context(), "")
				require.NoError(t, err)
				require.Empty(t, clean.Findings)
				require.Equal(t, 6, clean.Instances, "what was done to each of the wave's instances")
				require.NoError(t, c.alter(history))
				story.RollBackRefused("wave-1", true, activities.ErrEvidence, c.says, "waves/wave-1/history/",
					"patchtide evidence verify")
			})
			require.Zero(t, restored(scene))
		})
	}
}

func replaceIn(path, from, to string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(content), from) {
		return fmt.Errorf("%s has no %s", path, from)
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(content), from, to)), 0o600)
}
