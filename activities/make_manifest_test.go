package activities_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

type keptLists struct{ lists []string }

func (k *keptLists) PutList(_ context.Context, list []byte) (string, error) {
	k.lists = append(k.lists, string(list))
	return "s3://lists/1", nil
}

// What somebody else wrote beside the evidence binds nobody: else who may write to the bucket chooses what production
// installs.
func TestOnlyWhatIsSignedBindsTheNextStage(t *testing.T) {
	const wave = "wave-web-1"
	folder := t.TempDir()
	store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	for _, id := range []string{"i-1", "i-2", "i-3"} {
		_, err := store.PutInstance(t.Context(), wave, id, patch.InstanceDetails{
			WaveID: wave, Instance: id, Outcome: patch.Patched, Before: &patch.MachineFacts{PackagesSHA256: "before"},
			After:   &patch.MachineFacts{OS: "amzn", Release: "2023", PackagesSHA256: "after"},
			Changes: []patch.PackageChange{{Name: "curl.x86_64", From: "0:8-1", To: "0:8-2"}},
		})
		require.NoError(t, err)
	}
	altered := filepath.Join(folder, "waves", wave, "instances", "i-2.json")
	content, err := os.ReadFile(altered)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(altered, []byte(strings.ReplaceAll(string(content), "0:8-2", "0:9-evil")), 0o600))

	lists := &keptLists{}
	control := &activities.Control{Evidence: worker.Journal(store), Manifests: store, Lists: lists}
	pinned, err := control.MakeManifest(t.Context(), activities.MakeManifestInput{
		Plan: "web", WaveID: wave, Without: []string{"i-3"},
	})
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{pinned.Proofs, pinned.NotProofs})
	require.Len(t, lists.lists, 1)
	require.NotContains(t, lists.lists[0], "evil")
	document, err := store.GetManifest(t.Context(), wave, pinned.SHA256)
	require.NoError(t, err)
	var made manifest.Manifest
	require.NoError(t, json.Unmarshal(document, &made))
	require.Equal(t, []string{"i-2: its document was altered: its signature does not match"}, made.NotProofs)
	require.Equal(t, "0:8-2", made.Systems[0].Packages[0].Version)

	read, err := control.ReadChanges(t.Context(), activities.ReadChangesInput{WaveID: wave})
	require.NoError(t, err)
	require.NotEmpty(t, read.Changed, "what is only shown is shown of all")
}
