package evidence

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// reopened is the same place for a worker with other keys.
func reopened(store *Store, current Signer, older ...Signer) *Store {
	return &Store{place: store.place, signer: current, older: older}
}

func TestARecordOutlivesTheRotationOfItsKey(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		ctx := t.Context()
		first, second, third := store.signer, GenerateKey(), GenerateKey()
		require.NoError(t, store.AppendJournal(ctx, key, change{Desired: 1}))
		rotated := reopened(store, second, first)
		record, err := rotated.ReadJournal(ctx, key)
		require.NoError(t, err)
		require.Equal(t, 1, record.Sequence)
		require.NoError(t, rotated.AppendJournal(ctx, key, change{Desired: 2}), "it goes on, signed with the new key")
		record, err = reopened(store, second).ReadJournal(ctx, key)
		require.NoError(t, err, "what is acted upon is the newest version, which the new key proves")
		require.Equal(t, 2, record.Sequence)
		records, err := reopened(store, third, second, first).ListJournal(ctx, wave)
		require.NoError(t, err)
		require.Len(t, records, 1)

		var invalid *InvalidRecordError
		_, err = reopened(store, third, first).ReadJournal(ctx, key)
		require.ErrorAs(t, err, &invalid)
		require.ErrorContains(t, err, second.KeyID())
		require.ErrorContains(t, err, third.KeyID()+", "+first.KeyID())
		require.ErrorContains(t, err, "journal_older_keys_from")
	})
}

// A bucket's lifecycle rule expires objects by their age, the oldest versions first.
func TestOlderVersionsMayHaveExpired(t *testing.T) {
	store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
	require.NoError(t, err)
	ctx := t.Context()
	folder, err := waveFolder(wave)
	require.NoError(t, err)
	for desired := range 3 {
		require.NoError(t, store.AppendJournal(ctx, key, change{Desired: desired}))
	}
	for _, number := range []int{1, 2} {
		require.NoError(t, store.place.(bucket).Delete(ctx, journalObject(folder, key, number)))
	}
	record, err := store.ReadJournal(ctx, key)
	require.NoError(t, err)
	require.Equal(t, 3, record.Sequence)
	require.NoError(t, store.AppendJournal(ctx, key, change{Desired: 4}))
	records, err := store.ListJournal(ctx, wave)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, 4, records[0].Sequence)
}

// What only its newest version says begins anew behind a version that nobody can prove any more.
func TestARecordWithoutHistoryBeginsAnew(t *testing.T) {
	store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
	require.NoError(t, err)
	ctx := t.Context()
	require.NoError(t, store.RenewJournal(ctx, key, change{Desired: 1}))
	lost := reopened(store, GenerateKey())
	var invalid *InvalidRecordError
	require.ErrorAs(t, lost.AppendJournal(ctx, key, change{Desired: 2}), &invalid)
	require.NoError(t, lost.RenewJournal(ctx, key, change{Desired: 2}))
	require.NoError(t, lost.RenewJournal(ctx, key, change{Desired: 2}), "the same again changes nothing")
	record, err := lost.ReadJournal(ctx, key)
	require.NoError(t, err)
	require.Equal(t, 2, record.Sequence)
}
