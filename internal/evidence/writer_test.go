package evidence

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A worker with another key would believe none of what is under way: it finds out before it signs anything.
func TestSigningBeginsOnlyWithAKeyThatIsKnownThere(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "evidence")
	first, second, third := GenerateKey(), GenerateKey(), GenerateKey()
	open := func(signer Signer, older ...Signer) *Store {
		t.Helper()
		store, err := Open(t.Context(), folder, Options{Signer: signer, Older: older})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		return store
	}
	at := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
	begin := func(store *Store) error { at = at.Add(time.Hour); return store.BeginSigning(t.Context(), at) }

	require.NoError(t, begin(open(first)))
	require.NoError(t, begin(open(first)), "again")
	require.NoError(t, open(first).CheckKey(t.Context()))
	var other *OtherKeyError
	require.ErrorAs(t, open(second).CheckKey(t.Context()), &other)
	require.ErrorAs(t, begin(open(second)), &other)
	require.Equal(t, &OtherKeyError{
		Theirs: first.KeyID(), Since: time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC), Ours: second.KeyID(),
	}, other)
	require.ErrorContains(t, other, "journal_older_keys_from")

	// A rotation, as one worker after the other makes it.
	require.NoError(t, begin(open(second, first)))
	require.NoError(t, begin(open(first, second)), "one that has not exchanged them yet")
	require.NoError(t, begin(open(second, first)))
	require.NoError(t, begin(open(second)), "the earlier one is taken out")
	require.ErrorAs(t, begin(open(first)), &other)
	require.ErrorAs(t, begin(open(third, first)), &other)

	require.ErrorIs(t, begin(open(nil)), errNoKey)
}

func TestFingerprintsTellPlacesAndKeysApart(t *testing.T) {
	first, second := GenerateKey(), GenerateKey()
	folder := t.TempDir()
	of := func(where string, signer Signer, older ...Signer) []string {
		t.Helper()
		store, err := Open(t.Context(), where, Options{Signer: signer, Older: older})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		require.NoError(t, store.BeginSigning(t.Context(), time.Now()))
		all, err := store.Fingerprints(t.Context())
		require.NoError(t, err)
		return all
	}
	fresh, err := Open(t.Context(), folder, Options{Signer: first})
	require.NoError(t, err)
	_, err = fresh.Fingerprints(t.Context())
	require.Error(t, err, "nobody has signed there")
	require.NoError(t, fresh.Close())
	one := of(folder, first)
	require.Regexp(t, "^[0-9a-f]{12}$", one[0])
	require.Equal(t, one, of("file://"+folder, first), "the same folder in other words")
	require.Equal(t, one[0], of(folder, second, first)[1], "who has it as an earlier key knows it")
	require.NotEqual(t, one, of(folder, second), "another key")
	require.NotEqual(t, one, of(t.TempDir(), first), "another folder")
}

// Workers that start together, on a folder that is new, agree on what it is.
func TestWorkersThatStartTogetherHaveOneStore(t *testing.T) {
	key := GenerateKey()
	store, err := Open(t.Context(), t.TempDir(), Options{Signer: key})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	quicker := *store
	store.place = crossed{objects: store.place, meanwhile: func() {
		require.NoError(t, quicker.BeginSigning(t.Context(), time.Now()))
	}}
	require.NoError(t, store.BeginSigning(t.Context(), time.Now()))
	theirs, err := quicker.Fingerprints(t.Context())
	require.NoError(t, err)
	ours, err := store.Fingerprints(t.Context())
	require.NoError(t, err)
	require.Equal(t, theirs, ours)
}

// crossed is a place where something happens just before each creation.
type crossed struct {
	objects
	meanwhile func()
}

func (c crossed) create(ctx context.Context, name string, content []byte) error {
	c.meanwhile()
	return c.objects.create(ctx, name, content)
}
