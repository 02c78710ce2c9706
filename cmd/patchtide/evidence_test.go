package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
)

func TestEvidenceVerify(t *testing.T) {
	folder, keys := filepath.Join(t.TempDir(), "evidence"), t.TempDir()
	key := func(name string) (string, evidence.Signer) {
		from := filepath.Join(keys, name)
		require.NoError(t, os.WriteFile(from, []byte(name+": at least thirty-two bytes of it"), 0o600))
		signer, err := evidence.LoadKey(t.Context(), "file:"+from, evidence.KeyPlaces{})
		require.NoError(t, err)
		return from, signer
	}
	older, first := key("older")
	newer, second := key("newer")
	for i, signer := range []evidence.Signer{first, second} {
		store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: signer, Older: []evidence.Signer{first}})
		require.NoError(t, err)
		require.NoError(t, store.PutWave(t.Context(), "wave-web-1", activities.WaveDocument{Version: i}))
		require.NoError(t, store.Close())
	}
	from := []string{"evidence: ./evidence", "evidence: " + folder, "journal_key_from: file:journal.key"}
	rotated := file(t, append(from, "journal_key_from: file:"+newer+"\njournal_older_keys_from: ['file:"+older+"']")...)
	lost := file(t, append(from, "journal_key_from: file:"+newer)...)

	for _, wave := range [][]string{nil, {"wave-web-1"}} {
		code, stdout, stderr := call(t, append([]string{"evidence", "verify", "--config", rotated}, wave...)...)
		require.Equal(t, exitDone, code, stderr)
		require.Equal(t, "1 wave, 2 versions of their documents, 0 documents of instances, 0 versions of journal "+
			"records: all are as they were written\n", stdout)
	}

	code, stdout, _ := call(t, "evidence", "verify", "--config", lost, "--json")
	require.Equal(t, exitFailed, code)
	var found evidence.Verified
	require.NoError(t, json.Unmarshal([]byte(stdout), &found))
	require.Len(t, found.Findings, 1)
	require.Equal(t, "waves/wave-web-1/history/000001.json", found.Findings[0].Object)
	require.Contains(t, found.Findings[0].Problem, "journal_older_keys_from")

	require.NoError(t, os.Remove(filepath.Join(folder, "waves", "wave-web-1", "history", "000001.json")))
	code, stdout, _ = call(t, "evidence", "verify", "wave-web-1", "--config", rotated)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stdout, "wrong  waves/wave-web-1/history/000001.json is missing although a later version is there")
	require.Contains(t, stdout, "1 are wrong")

	code, _, stderr := call(t, "evidence", "verify", "wave-web-9", "--config", rotated)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "there is no evidence of wave wave-web-9")
}
