package evidence_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/evidence"
)

func TestWhatWasDoneToAnInstanceIsAnObjectOfItsOwn(t *testing.T) {
	folder := t.TempDir()
	store, err := evidence.Open(t.Context(), folder, evidence.Options{})
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
	require.JSONEq(t, `{"try": 1}`, string(content), "the latest only")
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
