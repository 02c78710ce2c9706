package evidence

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// places are the stores that every behaviour is tested on.
func places(t *testing.T) map[string]*Store {
	t.Helper()
	stores := map[string]*Store{}
	for name, location := range map[string]string{
		"folder": filepath.Join(t.TempDir(), "not", "made", "yet"),
		"file":   "file://" + filepath.Join(t.TempDir(), "evidence"),
		"memory": "mem://",
		"s3":     "s3://" + useSimulatedS3(t) + "/prefix",
	} {
		store, err := Open(t.Context(), location, Options{Signer: GenerateKey()})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		stores[name] = store
	}
	return stores
}

// each runs a test on every place.
func each(t *testing.T, run func(t *testing.T, store *Store)) {
	t.Helper()
	for name, store := range places(t) {
		t.Run(name, func(t *testing.T) { run(t, store) })
	}
}

const wave = "wave/web/2026-11-22T02:00"

type document struct {
	Outcome string         `json:"outcome"`
	Counts  map[string]int `json:"counts,omitempty"`
}

func TestPutWave(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		ctx := t.Context()
		var got document
		var missing *NotFoundError
		require.ErrorAs(t, store.GetWave(ctx, wave, &got), &missing)
		require.Contains(t, missing.Error(), wave)

		require.NoError(t, store.PutWave(ctx, wave, document{Outcome: "running"}))
		require.NoError(t, store.PutWave(ctx, wave, document{Outcome: "running"}), "the same again changes nothing")
		require.NoError(t, store.PutWave(ctx, wave, document{Outcome: "succeeded", Counts: map[string]int{"b": 2, "a": 1}}))
		require.NoError(t, store.GetWave(ctx, wave, &got))
		require.Equal(t, document{Outcome: "succeeded", Counts: map[string]int{"b": 2, "a": 1}}, got)

		folder, err := waveFolder(wave)
		require.NoError(t, err)
		names, err := store.place.list(ctx, folder+"history/")
		require.NoError(t, err)
		require.Equal(t, []string{"000001.json", "000002.json"}, names, "both versions are kept")
		plain, err := store.place.read(ctx, folder+"wave.json")
		require.NoError(t, err)
		require.JSONEq(t, `{"outcome": "succeeded", "counts": {"a": 1, "b": 2}}`, string(plain))
	})
}

func TestPutWaveAfterACrashBetweenItsTwoWrites(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		ctx := t.Context()
		folder, err := waveFolder(wave)
		require.NoError(t, err)
		require.NoError(t, store.PutWave(ctx, wave, document{Outcome: "running"}))
		store.place = deaf{store.place}
		require.Error(t, store.PutWave(ctx, wave, document{Outcome: "succeeded"}))
		store.place = store.place.(deaf).objects

		var got document
		require.NoError(t, store.GetWave(ctx, wave, &got))
		require.Equal(t, "succeeded", got.Outcome, "the history counts, not the copy")
		require.NoError(t, store.PutWave(ctx, wave, document{Outcome: "succeeded"}))
		plain, err := store.place.read(ctx, folder+"wave.json")
		require.NoError(t, err)
		require.JSONEq(t, `{"outcome": "succeeded"}`, string(plain), "the repeated step repairs the copy")
	})
}

// deaf is a place where the process dies before it writes the copy for people.
type deaf struct{ objects }

func (d deaf) replace(context.Context, string, []byte) error { return errors.New("killed") }

func TestPutWaveByManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		// As many writers as a write has rounds: each loses at most to the others.
		var group sync.WaitGroup
		errs := make([]error, attempts)
		for i := range errs {
			group.Go(func() { errs[i] = store.PutWave(context.Background(), wave, document{Counts: map[string]int{"i": i}}) })
		}
		group.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		folder, err := waveFolder(wave)
		require.NoError(t, err)
		names, err := store.place.list(t.Context(), folder+"history/")
		require.NoError(t, err)
		require.Len(t, names, attempts, "nobody's version was lost")
	})
}

func TestListWaves(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		ctx := t.Context()
		ids, err := store.ListWaves(ctx)
		require.NoError(t, err)
		require.Empty(t, ids)

		require.NoError(t, store.PutWave(ctx, "b", document{}))
		require.NoError(t, store.PutWave(ctx, wave, document{}))
		require.NoError(
			t, store.AppendJournal(ctx, RecordKey{Wave: "a", Account: "111122223333", Region: "us-east-1", Resource: "i-1"}, 1),
		)
		require.NoError(t, store.place.create(ctx, "waves/notes.txt", []byte("a person's")))
		require.NoError(t, store.place.create(ctx, "waves/not ours/notes.txt", []byte("a person's")))
		ids, err = store.ListWaves(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b", wave}, ids)
	})
}

func TestWaveIDsAsNames(t *testing.T) {
	long := make([]byte, maxName+1)
	for i := range long {
		long[i] = 'a'
	}
	for name, test := range map[string]struct{ id, segment, err string }{
		"plain":             {id: "wave-web.1_2", segment: "wave-web.1_2"},
		"slashes and time":  {id: "wave/web/02:00", segment: "wave~2Fweb~2F02~3A00"},
		"no way up":         {id: "..", segment: "~2E."},
		"a driver's escape": {id: "a__0x2f__b", segment: "a_~5F0x2f_~5Fb"},
		"the escape itself": {id: "a~2Fb", segment: "a~7E2Fb"},
		"not English":       {id: "波", segment: "~E6~B3~A2"},
		"empty":             {id: "", err: "a wave needs an ID"},
		"too long":          {id: string(long), err: "needs 256 characters as a file name, and 255 is the limit"},
	} {
		t.Run(name, func(t *testing.T) {
			segment, err := escape(test.id)
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.segment, segment)
			id, ok := unescape(segment)
			require.True(t, ok)
			require.Equal(t, test.id, id)
		})
	}
	for _, foreign := range []string{"~", "~2", "~zz", "~61", "a b", ".hidden", ""} {
		_, ok := unescape(foreign)
		require.False(t, ok, "%q is not a name of ours", foreign)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct{ location, want string }{
		"nothing":        {"", "no location"},
		"another scheme": {"gs://bucket", `"gs" is not a kind of place`},
		"no bucket":      {"s3:///prefix", "no bucket"},
		"two slashes":    {"file://evidence", "three slashes"},
		"a password":     {"s3://user:hunter2@bucket/x", "no user, password, query"},
		"a query":        {"s3://bucket/x?token=hunter2", "no user, password, query"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), test.location, Options{})
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, "s3://bucket/prefix", "a right example is shown")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestIsLocal(t *testing.T) {
	for location, local := range map[string]bool{"evidence": true, "/e": true, "file:///e": true, "mem://": true, "s3://b/p": false} {
		require.Equal(t, local, IsLocal(location), location)
	}
}

func TestFolderCreatesWholeFilesForItsOwnerOnly(t *testing.T) {
	root := filepath.Join(t.TempDir(), "evidence")
	place, err := openFolder(root)
	require.NoError(t, err)
	require.NoError(t, place.create(t.Context(), "a/b/c.json", []byte("1")))
	require.ErrorIs(t, place.create(t.Context(), "a/b/c.json", []byte("2")), errTaken)
	entries, err := os.ReadDir(filepath.Join(root, "a", "b"))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
	info, err := entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	content, err := place.read(t.Context(), "a/b/c.json")
	require.NoError(t, err)
	require.Equal(t, "1", string(content))
}
