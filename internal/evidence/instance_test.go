package evidence_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/evidence"
)

func TestWhatWasDoneToAnInstanceIsAnObjectOfItsOwn(t *testing.T) {
	folder := t.TempDir()
	store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	const wave, instance = "wave-web-1", "i-0123456789abcdef0"
	first, err := store.PutInstance(t.Context(), wave, instance, map[string]int{"try": 0})
	require.NoError(t, err)
	again, err := store.PutInstance(t.Context(), wave, instance, map[string]int{"try": 0})
	require.NoError(t, err)
	require.Equal(t, first, again)
	last, err := store.PutInstance(t.Context(), wave, instance, map[string]int{"try": 1})
	require.NoError(t, err)
	require.NotEqual(t, first, last)
	content, err := os.ReadFile(filepath.Join(folder, "waves", wave, "instances", instance+".json"))
	require.NoError(t, err)
	var stored struct {
		Wave, Instance string
		Document       json.RawMessage
	}
	require.NoError(t, json.Unmarshal(content, &stored))
	require.JSONEq(t, `{"try": 1}`, string(stored.Document), "the latest only")
	require.Equal(t, []string{wave, instance}, []string{stored.Wave, stored.Instance}, "whoever reads it knows of whom it is")
	sum := sha256.Sum256(content)
	require.Equal(t, last, hex.EncodeToString(sum[:]))

	for _, wrong := range []string{"", "../i-1", "i-1/2", "group-web"} {
		_, err = store.PutInstance(t.Context(), wave, wrong, 1)
		require.ErrorContains(t, err, "is not of the form", wrong)
	}
	waves, err := store.ListWaves(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{wave}, waves)

	ids, err := store.ListInstances(t.Context(), wave)
	require.NoError(t, err)
	require.Equal(t, []string{instance}, ids)
	ids, err = store.ListInstances(t.Context(), "wave-web-2")
	require.NoError(t, err)
	require.Empty(t, ids)
	var kept map[string]int
	require.NoError(t, store.GetInstance(t.Context(), wave, instance, &kept))
	require.Equal(t, map[string]int{"try": 1}, kept)
	var missing *evidence.NotFoundError
	require.ErrorAs(t, store.GetInstance(t.Context(), wave, "i-1", &kept), &missing)
}

// Whoever may write to the place could say that a machine proved what it did not.
func TestOnlyWhatIsSignedOfAnInstanceIsProven(t *testing.T) {
	const wave, instance = "wave-web-1", "i-0123456789abcdef0"
	key := evidence.GenerateKey()
	named := func(folder, wave, instance string) string {
		return filepath.Join(folder, "waves", wave, "instances", instance+".json")
	}
	replaced := func(old, by string) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			content, err := os.ReadFile(named(folder, wave, instance))
			require.NoError(t, err)
			require.Contains(t, string(content), old)
			changed := strings.Replace(string(content), old, by, 1)
			require.NoError(t, os.WriteFile(named(folder, wave, instance), []byte(changed), 0o600))
		}
	}
	copied := func(fromWave, from string) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			content, err := os.ReadFile(named(folder, fromWave, from))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(named(folder, wave, instance), content, 0o600))
		}
	}
	for _, c := range []struct {
		name    string
		key     evidence.Signer
		happens func(t *testing.T, folder string)
		why     string
	}{
		{"as it was written", key, func(*testing.T, string) {}, ""},
		{"laid out another way", key, replaced("\n", " "), ""},
		{"altered", key, replaced(`"try": 1`, `"try": 2`), "was altered: its signature does not match"},
		{"of another instance", key, copied(wave, "i-1"), "was moved: it was written of i-1 of wave-web-1"},
		{"of another wave", key, copied("wave-web-0", instance), "was moved: it was written of " + instance + " of wave-web-0"},
		{"not signed", key, replaced(`"signature"`, `"signed"`), "is not signed"},
		{"of no such form", key, replaced("patchtide.instance/1", "patchtide.instance/0"), "is not of the form patchtide.instance/1"},
		{"no JSON", key, replaced("{", ""), "is not"},
		{"signed with another key", evidence.GenerateKey(), func(*testing.T, string) {}, "is signed with key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: key})
			require.NoError(t, err)
			for _, of := range [][2]string{{wave, instance}, {wave, "i-1"}, {"wave-web-0", instance}} {
				_, err = store.PutInstance(t.Context(), of[0], of[1], map[string]int{"try": 1})
				require.NoError(t, err)
			}
			c.happens(t, folder)
			reader, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: c.key})
			require.NoError(t, err)
			var kept map[string]int
			err = reader.ProvenInstance(t.Context(), wave, instance, &kept)
			if c.why == "" {
				require.NoError(t, err)
				require.Equal(t, map[string]int{"try": 1}, kept)
				return
			}
			var invalid *evidence.InvalidInstanceError
			require.ErrorAs(t, err, &invalid)
			require.Contains(t, invalid.Reason, c.why)
			require.Nil(t, kept)
		})
	}
	t.Run("nothing", func(t *testing.T) {
		store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: key})
		require.NoError(t, err)
		var missing *evidence.NotFoundError
		require.ErrorAs(t, store.ProvenInstance(t.Context(), wave, instance, &struct{}{}), &missing)
	})
}

func TestPagesOfADocumentThatIsNotWhole(t *testing.T) {
	store, err := evidence.Open(t.Context(), "mem://", evidence.Options{})
	require.NoError(t, err)
	var missing *evidence.NotFoundError
	_, err = store.GetDraft(t.Context(), "wave-web-1", 1)
	require.ErrorAs(t, err, &missing)
	require.NoError(t, store.PutDraft(t.Context(), "wave-web-1", 1, []byte("one")))
	require.NoError(t, store.PutDraft(t.Context(), "wave-web-1", 1, []byte("other")))
	page, err := store.GetDraft(t.Context(), "wave-web-1", 1)
	require.NoError(t, err)
	require.Equal(t, "other", string(page))
}
