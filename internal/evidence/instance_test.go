package evidence_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/evidence"
)

func TestWhatWasDoneToAnInstanceIsAnObjectOfItsOwn(t *testing.T) {
	store, err := evidence.Open(t.Context(), t.TempDir(), evidence.Options{})
	require.NoError(t, err)
	const wave, instance = "wave-web-1", "i-0123456789abcdef0"
	var missing *evidence.NotFoundError
	var read map[string]int
	_, err = store.GetInstance(t.Context(), wave, instance, &read)
	require.ErrorAs(t, err, &missing)

	first, err := store.PutInstance(t.Context(), wave, instance, map[string]int{"try": 0})
	require.NoError(t, err)
	again, err := store.PutInstance(t.Context(), wave, instance, map[string]int{"try": 0})
	require.NoError(t, err)
	require.Equal(t, first, again)
	last, err := store.PutInstance(t.Context(), wave, instance, map[string]int{"try": 1})
	require.NoError(t, err)
	require.NotEqual(t, first, last)
	sum, err := store.GetInstance(t.Context(), wave, instance, &read)
	require.NoError(t, err)
	require.Equal(t, last, sum, "the latest only")
	require.Equal(t, map[string]int{"try": 1}, read)

	for _, wrong := range []string{"", "../i-1", "i-1/2", "group-web"} {
		_, err = store.PutInstance(t.Context(), wave, wrong, 1)
		require.ErrorContains(t, err, "is not of the form", wrong)
	}
	waves, err := store.ListWaves(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{wave}, waves)
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
