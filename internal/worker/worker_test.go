package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

func TestJournalTakesRecordsByTheNamesThatSagasGive(t *testing.T) {
	store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	journal := worker.Journal(store)
	group := patch.Group{
		Account: patch.Account{ID: "111122223333"}, Region: "ap-northeast-1", AutoScalingGroup: "web/blue",
	}
	tagged := patch.Group{
		Account: patch.Account{ID: "111122223333"}, Region: "ap-northeast-1",
		Tags: map[string]string{"path": "/a/b", "Role": "web"},
	}
	for _, name := range []string{
		names.JournalRecord(group, "i-1"), names.JournalRecord(group, ""), names.JournalRecord(tagged, ""),
	} {
		require.NoError(t, journal.AppendJournal(t.Context(), "wave-1", name, map[string]int{"n": 1}), name)
	}
	for _, wrong := range []string{"", "i-1", "111122223333/i-1"} {
		require.ErrorContains(
			t, journal.AppendJournal(t.Context(), "wave-1", wrong, map[string]int{}), "is not named account/region/resource",
		)
	}
	keys, err := store.ListJournal(t.Context(), "wave-1")
	require.NoError(t, err)
	require.Len(t, keys, 3, "each record has its own place: %v", keys)
}
