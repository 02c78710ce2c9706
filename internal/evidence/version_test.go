package evidence

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Two who change one document at once are both heard: whoever comes second is told, and decides anew.
func TestPutVersionKeepsWhatAnotherWrote(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		ctx := t.Context()
		var got document
		var missing *NotFoundError
		_, err := store.ProvenVersion(ctx, wave, &got)
		require.ErrorAs(t, err, &missing)
		require.NoError(t, store.PutVersion(ctx, wave, 0, document{Outcome: "one"}))
		var conflict *ConflictError
		require.ErrorAs(t, store.PutVersion(ctx, wave, 0, document{Outcome: "two"}), &conflict)
		version, err := store.ProvenVersion(ctx, wave, &got)
		require.NoError(t, err)
		require.Equal(t, document{Outcome: "one"}, got)
		require.NoError(t, store.PutVersion(ctx, wave, version, document{Outcome: "two"}))
		require.ErrorAs(t, store.PutVersion(ctx, wave, version, document{Outcome: "three"}), &conflict)
	})
}

func TestOfManyWritersOfOneVersionOneWins(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		ctx := t.Context()
		require.NoError(t, store.PutVersion(ctx, wave, 0, document{Outcome: "begun"}))
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() {
				errs[i] = store.PutVersion(ctx, wave, 1, document{Outcome: "written", Counts: map[string]int{"by": i}})
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			}
		}
		require.Equal(t, 1, won, "%v", errs)
		var got document
		version, err := store.ProvenVersion(ctx, wave, &got)
		require.NoError(t, err)
		require.Equal(t, 2, version)
	})
}
