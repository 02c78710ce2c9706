package evidence

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// stored lets change alter an object as whoever may write to the bucket can.
func stored(t *testing.T, store *Store, name string, change func(map[string]any)) {
	t.Helper()
	content, err := store.place.read(t.Context(), name)
	require.NoError(t, err)
	var all map[string]any
	require.NoError(t, json.Unmarshal(content, &all))
	change(all)
	content, err = json.Marshal(all)
	require.NoError(t, err)
	require.NoError(t, store.place.replace(t.Context(), name, content))
}

// moved puts a copy of one object in another's place.
func moved(t *testing.T, from *Store, name string, to *Store, as string) {
	t.Helper()
	content, err := from.place.read(t.Context(), name)
	require.NoError(t, err)
	require.NoError(t, to.place.replace(t.Context(), as, content))
}

// Each case alters what is stored, and names the one object that must be found and what must be said of it. What is
// wrong with a wave's document keeps it from being acted upon, and nobody from writing on.
func TestVerifyFindsWhatWasAltered(t *testing.T) {
	folder, err := waveFolder(wave)
	require.NoError(t, err)
	document1, document2, document3 := historyObject(folder, 1), historyObject(folder, 2), historyObject(folder, 3)
	record1, record2 := journalObject(folder, key, 1), journalObject(folder, key, 2)
	other := func(t *testing.T, store *Store) *Store {
		stray, err := Open(t.Context(), "mem://", Options{Signer: store.signer})
		require.NoError(t, err)
		require.NoError(t, stray.PutWave(t.Context(), wave, document{Outcome: "other"}))
		require.NoError(t, stray.PutWave(t.Context(), wave, document{Outcome: "others"}))
		require.NoError(t, stray.AppendJournal(t.Context(), key, change{Desired: 9}))
		return stray
	}
	for _, c := range []struct {
		name, object, says string
		alter              func(*testing.T, *Store)
	}{
		{"a value of the newest", document3, "was altered", func(t *testing.T, store *Store) {
			stored(t, store, document3, func(s map[string]any) { s["document"].(map[string]any)["outcome"] = "mine" })
		}},
		{"a value of an old one", document1, "was altered", func(t *testing.T, store *Store) {
			stored(t, store, document1, func(s map[string]any) { s["document"].(map[string]any)["outcome"] = "mine" })
		}},
		{"a document without a signature", document3, "is not signed", func(t *testing.T, store *Store) {
			stored(t, store, document3, func(s map[string]any) { delete(s, "signature") })
		}},
		{"a plain document", document3, "is not signed", func(t *testing.T, store *Store) {
			require.NoError(t, store.place.replace(t.Context(), document3, []byte(`{"outcome": "mine"}`)))
		}},
		{"another key", document2, "is signed with key", func(t *testing.T, store *Store) {
			foreign := reopened(store, GenerateKey())
			require.NoError(t, store.place.(bucket).Delete(t.Context(), document2))
			require.NoError(t, store.place.(bucket).Delete(t.Context(), document3))
			require.NoError(t, foreign.PutWave(t.Context(), wave, document{Outcome: "mine"}))
			require.NoError(t, store.PutWave(t.Context(), wave, document{Outcome: "succeeded"}), "the wave goes on")
		}},
		{"a missing version", document2, "is missing although a later version is there", func(t *testing.T, store *Store) {
			require.NoError(t, store.place.(bucket).Delete(t.Context(), document2))
		}},
		{"a forked chain", document3, "does not follow the version before it", func(t *testing.T, store *Store) {
			moved(t, other(t, store), document2, store, document2)
			stored(t, store, document2, func(map[string]any) {})
		}},
		{"a version put behind another", document3, "was moved: it was written as version 1", func(t *testing.T, store *Store) {
			moved(t, store, document1, store, document3)
		}},
		{"another wave's", document3, "was moved: it was written as version 3 of wave-2", func(t *testing.T, store *Store) {
			for _, outcome := range []string{"1", "2", "3"} {
				require.NoError(t, store.PutWave(t.Context(), "wave-2", document{Outcome: outcome}))
			}
			moved(t, store, historyObject("waves/wave-2/", 3), store, document3)
		}},
		{"a file beside them", folder + "history/4.json", "nobody reads it", func(t *testing.T, store *Store) {
			moved(t, store, document3, store, folder+"history/4.json")
		}},
		{"the copy for people", folder + "wave.json", "is not the copy for people", func(t *testing.T, store *Store) {
			require.NoError(t, store.place.replace(t.Context(), folder+"wave.json", []byte(`{"outcome": "mine"}`)))
		}},
		{"a record", record2, "was altered", func(t *testing.T, store *Store) {
			stored(t, store, record2, func(s map[string]any) { s["record"].(map[string]any)["desired"] = 9 })
		}},
		{"a missing record", record1, "is missing although a later version is there", func(t *testing.T, store *Store) {
			require.NoError(t, store.place.(bucket).Delete(t.Context(), record1))
		}},
		{"a record that was exchanged", record2, "does not follow the version before it", func(t *testing.T, store *Store) {
			moved(t, other(t, store), record1, store, record1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
			require.NoError(t, err)
			for _, outcome := range []string{"running", "on_hold", "succeeded"} {
				require.NoError(t, store.PutWave(t.Context(), wave, document{Outcome: outcome}))
			}
			require.NoError(t, store.AppendJournal(t.Context(), key, change{Desired: 1}))
			require.NoError(t, store.AppendJournal(t.Context(), key, change{Desired: 2}))
			clean, err := store.Verify(t.Context(), "")
			require.NoError(t, err)
			require.Equal(t, &Verified{Waves: 1, Documents: 3, Records: 2, Findings: []Finding{}}, clean)
			var got document
			require.NoError(t, store.ProvenWave(t.Context(), wave, &got))
			require.Equal(t, "succeeded", got.Outcome)

			c.alter(t, store)
			found, err := store.Verify(t.Context(), wave)
			require.NoError(t, err)
			require.NotEmpty(t, found.Findings)
			objects := map[string]string{}
			for _, finding := range found.Findings {
				objects[finding.Object] = finding.Problem
			}
			require.Contains(t, objects[c.object], c.says, "%v", found.Findings)
			require.LessOrEqual(t, len(objects), 2, "%v", found.Findings)

			err = store.ProvenWave(t.Context(), wave, &got)
			switch c.object {
			case document1, document2, document3:
				var altered *InvalidWaveError
				require.ErrorAs(t, err, &altered)
				require.ErrorContains(t, err, "patchtide evidence verify")
				require.ErrorContains(t, err, altered.Name)
			default:
				require.NoError(t, err, "the document itself is proven")
			}
			require.NoError(t, store.PutWave(t.Context(), wave, document{Outcome: "aborted"}), "a wave's words are never lost")
		})
	}
}

func TestVerifyNamesAWaveThatLeftNothing(t *testing.T) {
	store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
	require.NoError(t, err)
	var missing *NotFoundError
	_, err = store.Verify(t.Context(), "wave-9")
	require.ErrorAs(t, err, &missing)
}

func TestAWaveOutlivesTheRotationOfItsKey(t *testing.T) {
	each(t, func(t *testing.T, store *Store) {
		require.NoError(t, store.PutWave(t.Context(), wave, document{Outcome: "running"}))
		rotated := reopened(store, GenerateKey(), store.signer)
		require.NoError(t, rotated.PutWave(t.Context(), wave, document{Outcome: "succeeded"}))
		var got document
		require.NoError(t, rotated.ProvenWave(t.Context(), wave, &got))
		require.Equal(t, "succeeded", got.Outcome)
		var altered *InvalidWaveError
		require.ErrorAs(t, reopened(store, rotated.signer).ProvenWave(t.Context(), wave, &got), &altered)
		require.ErrorContains(t, altered, "journal_older_keys_from")
	})
}

// What was done to an instance is an object of its own: signed, and named by its SHA-256 in the document of a wave that
// has closed.
func TestVerifyJudgesTheDocumentsOfInstances(t *testing.T) {
	overwritten := func(t *testing.T, store *Store, name string) {
		require.NoError(t, store.place.replace(t.Context(), name, []byte(`{"changes": []}`)))
	}
	for _, c := range []struct {
		name  string
		state patch.WaveState
		alter func(t *testing.T, store *Store, name string)
		says  string // "": nothing is found
	}{
		{"as it was written", patch.StateClosed, func(*testing.T, *Store, string) {}, ""},
		{"written by somebody else", patch.StateClosed, overwritten, "is not of the form patchtide.instance/1"},
		{"written by somebody else while its wave runs", patch.StateRunning, overwritten, "is not of the form"},
		{"altered while its wave runs", patch.StateRunning, func(t *testing.T, store *Store, name string) {
			content, err := store.place.read(t.Context(), name)
			require.NoError(t, err)
			altered := strings.Replace(string(content), `"desired": 1`, `"desired": 7`, 1)
			require.NotEqual(t, string(content), altered)
			require.NoError(t, store.place.replace(t.Context(), name, []byte(altered)))
		}, "was altered: its signature does not match"},
		{"another of ours", patch.StateClosed, func(t *testing.T, store *Store, _ string) {
			_, err := store.PutInstance(t.Context(), wave, "i-1", change{Desired: 2})
			require.NoError(t, err)
		}, "is not the one that the wave's document names"},
		{"deleted", patch.StateClosed, func(t *testing.T, store *Store, name string) {
			require.NoError(t, store.place.(bucket).Delete(t.Context(), name))
		}, "is missing although the wave's document names it"},
		{"written anew while its wave runs", patch.StateRunning, func(t *testing.T, store *Store, _ string) {
			_, err := store.PutInstance(t.Context(), wave, "i-1", change{Desired: 2})
			require.NoError(t, err)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
			require.NoError(t, err)
			sum, err := store.PutInstance(t.Context(), wave, "i-1", change{Desired: 1})
			require.NoError(t, err)
			var told detailed
			told.Status.State = c.state
			told.Result = patch.WaveResult{WaveID: wave, Stages: []patch.StageResult{{Groups: []patch.GroupResult{
				{Instances: []patch.InstanceResult{{ID: "i-1", Details: sum}}},
			}}}}
			require.NoError(t, store.PutWave(t.Context(), wave, told))
			name, err := instanceObject(wave, "i-1")
			require.NoError(t, err)
			c.alter(t, store, name)
			found, err := store.Verify(t.Context(), wave)
			require.NoError(t, err)
			if c.says == "" {
				require.Empty(t, found.Findings)
				require.Equal(t, 1, found.Instances)
				return
			}
			require.Len(t, found.Findings, 1)
			require.Equal(t, name, found.Findings[0].Object)
			require.Contains(t, found.Findings[0].Problem, c.says)
		})
	}
}

// What groups left beside a wave that was terminated names the documents of that wave's instances.
func TestVerifyFindsTheInstancesOfWhatGroupsLeft(t *testing.T) {
	store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
	require.NoError(t, err)
	sum, err := store.PutInstance(t.Context(), wave, "i-1", change{Desired: 1})
	require.NoError(t, err)
	told := detailed{Result: patch.WaveResult{WaveID: wave, Stages: []patch.StageResult{{Groups: []patch.GroupResult{
		{Instances: []patch.InstanceResult{{ID: "i-1", Details: sum}}},
	}}}}}
	told.Status.State = patch.StateClosed
	require.NoError(t, store.PutWave(t.Context(), names.LeftPrefix(wave)+"0123", told))
	for _, of := range []string{"", wave, names.LeftPrefix(wave) + "0123"} {
		found, err := store.Verify(t.Context(), of)
		require.NoError(t, err)
		require.Empty(t, found.Findings, of)
	}
	all, err := store.Verify(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, 1, all.Instances, "counted once")
	name, err := instanceObject(wave, "i-1")
	require.NoError(t, err)
	require.NoError(t, store.place.(bucket).Delete(t.Context(), name))
	all, err = store.Verify(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []Finding{{name, isLost}}, all.Findings)
}

// What stands beside the waves is verified, and not counted as waves.
func TestWhatIsNoWaveIsNotCountedAsOne(t *testing.T) {
	store, err := Open(t.Context(), "mem://", Options{Signer: GenerateKey()})
	require.NoError(t, err)
	group := patch.Group{Account: patch.Account{ID: "111122223333"}, Region: "r", AutoScalingGroup: "web"}
	for _, id := range []string{"wave-1", names.FreezeID, names.LeftOf("wave-1", group)} {
		require.NoError(t, store.PutWave(t.Context(), id, document{Outcome: "kept"}))
	}
	found, err := store.Verify(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, &Verified{Waves: 1, Others: 2, Documents: 3, Findings: []Finding{}}, found)
	found, err = store.Verify(t.Context(), names.FreezeID)
	require.NoError(t, err)
	require.Equal(t, &Verified{Others: 1, Documents: 1, Findings: []Finding{}}, found)
}
