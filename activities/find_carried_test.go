package activities_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

// What an earlier wave proved is found by its signed document and the manifest's own hash; what was put back since, or
// was written by somebody else, proves nothing, and the wave before it counts.
func TestTheNewestManifestThatStillCountsIsCarried(t *testing.T) {
	const older, newer, now = "wave-web-20361101-020000", "wave-web-20361108-020000", "wave-web-20361115-020000"
	type scene struct {
		folder string
		store  *evidence.Store
		refs   map[string]patch.ManifestRef
	}
	altered := func(t *testing.T, s scene, parts ...string) {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(append([]string{s.folder, "waves"}, parts...)...))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Contains(t, string(content), "web")
			require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(content), "staging", "stagnig")), 0o600))
		}
	}
	put := func(t *testing.T, s scene, wave, plan string, staging patch.Outcome) {
		t.Helper()
		sum, err := s.store.PutManifest(t.Context(), wave, manifest.Manifest{
			Plan: plan, WaveID: wave, Systems: []manifest.System{{Name: "amzn 2023", Packages: make([]manifest.Package, 3)}},
			NotProofs: []string{"staging"},
		})
		require.NoError(t, err)
		s.refs[wave] = patch.ManifestRef{WaveID: wave, SHA256: sum}
		require.NoError(t, s.store.PutWave(t.Context(), wave, activities.WaveDocument{
			Version: 1, Plan: patch.Plan{Name: plan}, Status: patch.WaveStatus{Stages: []patch.StageStatus{
				{Name: "staging", Outcome: staging},
				{Name: "production", Outcome: patch.Failed, Pinned: &patch.Pinned{WaveID: wave, SHA256: sum}},
			}},
		}))
	}
	for _, c := range []struct {
		name, want string
		does       func(*testing.T, scene)
		said       string
	}{
		{"the newest", newer, nil, ""},
		{"its document was altered", older, func(t *testing.T, s scene) {
			t.Helper()
			altered(t, s, newer, "history", "*.json")
		}, newer + ": its document was altered"},
		{"its manifest was", older, func(t *testing.T, s scene) {
			t.Helper()
			altered(t, s, newer, "manifests", "*.json")
		}, newer + ": its manifest does not have the hash that it is named by"},
		{"its manifest is gone", older, func(t *testing.T, s scene) {
			t.Helper()
			require.NoError(t, os.RemoveAll(filepath.Join(s.folder, "waves", newer, "manifests")))
		}, newer + ": its manifest is not in the evidence any more"},
		{"all of it has expired", "", func(t *testing.T, s scene) {
			t.Helper()
			require.NoError(t, os.RemoveAll(filepath.Join(s.folder, "waves")))
		}, ""},
		{"it was rolled back since", older, func(t *testing.T, s scene) {
			t.Helper()
			require.NoError(t, s.store.PutWave(t.Context(), names.RollBack(newer), activities.WaveDocument{Version: 1}))
		}, newer + ": it was rolled back, as a whole or in part"},
		{"its staging was put back", older, func(t *testing.T, s scene) {
			t.Helper()
			put(t, s, newer, "web", patch.RolledBack)
		}, newer + ": its stage staging was rolled back"},
		{"a plan that begins alike", newer, func(t *testing.T, s scene) {
			t.Helper()
			for night := range 30 {
				put(t, s, fmt.Sprintf("wave-web-blue-20361109-0200%02d", night), "web-blue", patch.Succeeded)
			}
		}, ""},
		{"a month of nights that were refused", newer, func(t *testing.T, s scene) {
			t.Helper()
			for night := range 30 {
				require.NoError(t, s.store.PutWave(t.Context(), fmt.Sprintf("wave-web-20361109-0200%02d", night),
					activities.WaveDocument{Version: 1, Plan: patch.Plan{Name: "web"}}))
			}
		}, ""},
		{"this wave itself, and one that made none", newer, func(t *testing.T, s scene) {
			t.Helper()
			put(t, s, now, "web", patch.Succeeded)
			require.NoError(t, s.store.PutWave(t.Context(), "wave-web-20361110-020000", activities.WaveDocument{
				Version: 1, Plan: patch.Plan{Name: "web"},
			}))
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := scene{folder: t.TempDir(), refs: map[string]patch.ManifestRef{}}
			var err error
			s.store, err = evidence.Open(t.Context(), s.folder, evidence.Options{Signer: evidence.GenerateKey()})
			require.NoError(t, err)
			put(t, s, older, "web", patch.Succeeded)
			put(t, s, newer, "web", patch.Succeeded)
			if c.does != nil {
				c.does(t, s)
			}
			control := &activities.Control{Evidence: worker.Journal(s.store), Manifests: s.store}
			found, err := control.FindCarried(t.Context(), activities.FindCarriedInput{Plan: "web", WaveID: now})
			require.NoError(t, err)
			require.Contains(t, strings.Join(found.Unproven, "\n"), c.said)
			if c.said == "" {
				require.Empty(t, found.Unproven)
			}
			if c.want == "" {
				require.Nil(t, found.Manifest)
				return
			}
			require.Equal(t, s.refs[c.want], *found.Manifest)
			require.Equal(t, 3, found.Packages)
		})
	}
}
