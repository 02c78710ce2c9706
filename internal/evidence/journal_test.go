package evidence

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var key = RecordKey{Wave: wave, Account: "111122223333", Region: "ap-northeast-1", Resource: "i-0123456789abcdef0"}

type change struct {
	Desired   int      `json:"desired"`
	Suspended []string `json:"suspended"`
	Size      uint64   `json:"size"` // too large for a float64 to hold exactly
}

func TestJournal(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		ctx := t.Context()
		_, err := store.ReadJournal(ctx, key)
		var missing *NotFoundError
		require.ErrorAs(t, err, &missing, "a missing record is never a zero value")

		first := change{Desired: 4, Suspended: []string{"AZRebalance"}, Size: 1<<63 + 1}
		require.NoError(t, store.AppendJournal(ctx, key, first))
		require.NoError(t, store.AppendJournal(ctx, key, first), "the same again changes nothing")
		amended := first
		amended.Suspended = []string{"AZRebalance", "ReplaceUnhealthy"}
		require.NoError(t, store.AppendJournal(ctx, key, amended))
		record, err := store.ReadJournal(ctx, key)
		require.NoError(t, err)
		require.Equal(t, key, record.Key)
		require.Equal(t, 2, record.Sequence)
		var got change
		require.NoError(t, record.Decode(&got))
		require.Equal(t, change{Desired: 4, Suspended: []string{"AZRebalance", "ReplaceUnhealthy"}, Size: 1<<63 + 1}, got)

		other := key
		other.Resource = "i-0123456789abcdef01" // its name begins with the first one's
		require.NoError(t, store.AppendJournal(ctx, other, first))
		records, err := store.ListJournal(ctx, wave)
		require.NoError(t, err)
		require.Len(t, records, 2)
		require.ElementsMatch(t, []RecordKey{key, other}, []RecordKey{records[0].Key, records[1].Key})
		again, err := store.ReadJournal(ctx, key)
		require.NoError(t, err)
		require.Equal(t, 2, again.Sequence)
		records, err = store.ListJournal(ctx, "another wave")
		require.NoError(t, err)
		require.Empty(t, records)
	})
}

func TestAppendJournalSeesAConcurrentChange(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		ctx := t.Context()
		require.NoError(t, store.AppendJournal(ctx, key, change{Desired: 1}))
		stale, err := store.readNewest(ctx, key)
		require.NoError(t, err)
		require.NoError(t, store.AppendJournal(ctx, key, change{Desired: 2}))
		var conflict *ConflictError
		require.ErrorAs(t, store.appendTo(ctx, key, stale, change{Desired: 3}), &conflict)
		require.NoError(t, store.AppendJournal(ctx, key, change{Desired: 2}), "another attempt of the step that won")
	})
}

// forgetful is a place whose creations take effect while their replies are lost; the driver's own retry then finds the
// name taken.
type forgetful struct{ objects }

func (f forgetful) create(ctx context.Context, name string, content []byte) error {
	if err := f.objects.create(ctx, name, content); err != nil {
		return err
	}
	return errTaken
}

func TestWritesWhoseRepliesAreLostCountOnce(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		ctx := t.Context()
		store.place = forgetful{store.place}
		require.NoError(t, store.PutWave(ctx, wave, document{Outcome: "running"}))
		require.NoError(t, store.AppendJournal(ctx, key, change{Desired: 1}))
		require.NoError(t, store.AppendJournal(ctx, key, change{Desired: 2}))
		record, err := store.ReadJournal(ctx, key)
		require.NoError(t, err)
		require.Equal(t, 2, record.Sequence)
		var got change
		require.NoError(t, record.Decode(&got))
		require.Equal(t, 2, got.Desired)
	})
}

// Each case changes what is stored and names what the reader must say.
func TestJournalIsNotTrustedWhen(t *testing.T) {
	edit := func(change func(stored map[string]any)) func(*testing.T, *Store, string) {
		return func(t *testing.T, store *Store, name string) {
			content, err := store.place.read(t.Context(), name)
			require.NoError(t, err)
			var stored map[string]any
			require.NoError(t, json.Unmarshal(content, &stored))
			change(stored)
			content, err = json.Marshal(stored)
			require.NoError(t, err)
			require.NoError(t, store.place.replace(t.Context(), name, content))
		}
	}
	folder, err := waveFolder(wave)
	require.NoError(t, err)
	first, second := journalObject(folder, key, 1), journalObject(folder, key, 2)
	for name, test := range map[string]struct {
		object string // the one that the error names
		tamper func(*testing.T, *Store, string)
		want   string
	}{
		"a value changed": {
			second, edit(func(s map[string]any) { s["record"].(map[string]any)["desired"] = 9 }), "was altered",
		},
		"the resource changed": {second, edit(func(s map[string]any) {
			s["key"].(map[string]any)["resource"] = "i-9"
		}), "was altered"},
		"not signed": {second, edit(func(s map[string]any) { delete(s, "signature") }), "is not signed"},
		"signature emptied": {
			second, edit(func(s map[string]any) { s["signature"].(map[string]any)["value"] = "" }), "is not signed",
		},
		"signature no base64": {
			second, edit(func(s map[string]any) { s["signature"].(map[string]any)["value"] = "?" }), "not base64",
		},
		"another algorithm": {
			second, edit(func(s map[string]any) { s["signature"].(map[string]any)["algorithm"] = "none" }),
			`is signed by "none"`,
		},
		"another key": {
			second, edit(func(s map[string]any) { s["signature"].(map[string]any)["key_id"] = "0" }), `is signed with key "0", and the keys here are`,
		},
		"a newer format": {
			second, edit(func(s map[string]any) { s["format"] = "patchtide.journal/9" }), "has the format",
		},
		"not JSON": {second, func(t *testing.T, store *Store, name string) {
			require.NoError(t, store.place.replace(t.Context(), name, []byte("{}{}")))
		}, "is not JSON"},
		"cut short": {second, func(t *testing.T, store *Store, name string) {
			require.NoError(t, store.place.replace(t.Context(), name, nil))
		}, "is not JSON"},
		"the first version put in place of the second": {second, func(t *testing.T, store *Store, name string) {
			content, err := store.place.read(t.Context(), first)
			require.NoError(t, err)
			require.NoError(t, store.place.replace(t.Context(), name, content))
		}, "was moved: it was written as version 1"},
		"another instance's record put in its place": {second, func(t *testing.T, store *Store, name string) {
			other := key
			other.Resource = "i-9"
			require.NoError(t, store.AppendJournal(t.Context(), other, change{}))
			content, err := store.place.read(t.Context(), journalObject(folder, other, 1))
			require.NoError(t, err)
			require.NoError(t, store.place.replace(t.Context(), name, content))
		}, "was moved"},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
			require.NoError(t, err)
			good := key
			good.Resource = "i-1"
			require.NoError(t, store.AppendJournal(t.Context(), good, change{Desired: 1}))
			require.NoError(t, store.AppendJournal(t.Context(), key, change{Desired: 1}))
			require.NoError(t, store.AppendJournal(t.Context(), key, change{Desired: 2}))
			test.tamper(t, store, test.object)

			var invalid *InvalidRecordError
			_, err = store.ReadJournal(t.Context(), key)
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, test.object, invalid.Name, "the error names the object")
			require.ErrorContains(t, err, test.want)
			require.ErrorAs(t, store.AppendJournal(t.Context(), key, change{Desired: 3}), &invalid, "nothing is built on it")

			records, err := store.ListJournal(t.Context(), wave)
			require.ErrorAs(t, err, &invalid)
			var keys []RecordKey
			for _, record := range records {
				keys = append(keys, record.Key)
			}
			require.Contains(t, keys, good, "one bad record does not hide the others")
			require.NotContains(t, keys, key)
		})
	}
}

func TestJournalMayBeLaidOutAnew(t *testing.T) {
	store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
	require.NoError(t, err)
	require.NoError(t, store.AppendJournal(t.Context(), key, change{Desired: 1, Size: 1<<63 + 1}))
	folder, err := waveFolder(wave)
	require.NoError(t, err)
	name := journalObject(folder, key, 1)
	content, err := store.place.read(t.Context(), name)
	require.NoError(t, err)
	squeezed := strings.NewReplacer("\n", "", "  ", "").Replace(string(content))
	require.NoError(t, store.place.replace(t.Context(), name, []byte(squeezed)))
	_, err = store.ReadJournal(t.Context(), key)
	require.NoError(t, err, "white space is not what was signed")
}

func TestJournalRefusesKeys(t *testing.T) {
	store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		change func(*RecordKey)
		want   string
	}{
		"account": {
			func(k *RecordKey) { k.Account = "11122223333" }, `account "11122223333" is not of the form "111122223333"`,
		},
		"region": {func(k *RecordKey) { k.Region = "../x" }, `region "../x"`},
		"ident":  {func(k *RecordKey) { k.Resource = "web-1" }, `resource "web-1"`},
		"wave":   {func(k *RecordKey) { k.Wave = "" }, "a wave needs an ID"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := key
			test.change(&wrong)
			require.ErrorContains(t, store.AppendJournal(t.Context(), wrong, 1), test.want)
		})
	}
}

func TestJournalNeedsAKey(t *testing.T) {
	store, err := Open(t.Context(), "mem://", Options{})
	require.NoError(t, err)
	require.ErrorContains(t, store.PutWave(t.Context(), wave, document{}), "set journal_key_from")
	require.ErrorContains(t, store.ProvenWave(t.Context(), wave, &document{}), "set journal_key_from")
	require.ErrorContains(t, store.AppendJournal(t.Context(), key, 1), "set journal_key_from")
	_, err = store.ListJournal(t.Context(), wave)
	require.ErrorContains(t, err, "set journal_key_from")
}
