package evidence

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

func TestAKeyOfKMSSignsTheJournal(t *testing.T) {
	awsConfig, sim := useSimulatedAWS(t)
	var home *world.Region
	const id = "11111111-2222-4333-8444-555555555555"
	put := func(name, alias string, mac bool) *world.Key {
		made := &world.Key{ARN: home.ARN("kms", "key/"+name), State: "Enabled", Manager: "CUSTOMER", MAC: mac, Alias: alias}
		home.PutKey(made)
		return made
	}
	sim.Inspect(func(w *world.World) {
		home = w.Account(w.Scenario.Home.ID).Region("ap-northeast-1")
		put("99999999-2222-4333-8444-555555555555", "alias/encrypts", false)
	})
	held := put(id, "alias/journal", true)
	places := PlacesOf(awsConfig)

	for _, from := range []string{"kms:alias/journal", "kms:" + id, "kms:" + held.ARN} {
		signer, err := LoadKey(t.Context(), from, places)
		require.NoError(t, err, from)
		require.Equal(t, held.ARN, signer.KeyID())
	}
	for from, want := range map[string]string{
		"kms:alias/encrypts": "is for ENCRYPT_DECRYPT (SYMMETRIC_DEFAULT); make one with `aws kms create-key",
		"kms:alias/none":     "NotFoundException",
	} {
		_, err := LoadKey(t.Context(), from, places)
		require.ErrorContains(t, err, "journal_key_from: "+from)
		require.ErrorContains(t, err, want)
	}

	signer, err := LoadKey(t.Context(), "kms:alias/journal", places)
	require.NoError(t, err)
	store, err := Open(t.Context(), t.TempDir(), Options{Signer: signer})
	require.NoError(t, err)
	require.NoError(t, store.AppendJournal(t.Context(), key, document{Outcome: "one"}))
	require.NoError(t, store.AppendJournal(t.Context(), key, document{Outcome: "two"}))
	read, err := store.ReadJournal(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, 2, read.Sequence)

	ok, err := signer.Verify(t.Context(), make([]byte, 32), make([]byte, 32))
	require.NoError(t, err, "another's code is an answer, not an error")
	require.False(t, ok)

	// A key that cannot be asked is no proof of anything: neither trusted nor called forged.
	held.State = "Disabled"
	_, err = store.ReadJournal(t.Context(), key)
	require.ErrorContains(t, err, "DisabledException")
	var invalid *InvalidRecordError
	require.NotErrorAs(t, err, &invalid)
	require.ErrorContains(t, store.AppendJournal(t.Context(), key, document{Outcome: "three"}), "DisabledException")
	_, err = LoadKey(t.Context(), "kms:alias/journal", places)
	require.ErrorContains(t, err, "the key is Disabled; enable it")
}
