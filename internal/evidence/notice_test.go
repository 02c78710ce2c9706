package evidence_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

func TestToldNoticesAreRememberedByKeyAndChannel(t *testing.T) {
	for name, place := range map[string]string{"memory": "mem://", "folder": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			store, err := evidence.Open(t.Context(), place, evidence.Options{Signer: evidence.GenerateKey()})
			require.NoError(t, err)
			at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
			notice := patch.Notice{Kind: patch.NoticeOnHold, Key: "wave-1/" + strings.Repeat("long", 100) + "/on_hold-1", At: at}
			other := notice
			other.Key += "0"
			told := func(notice patch.Notice, channel string) bool {
				found, err := store.Told(t.Context(), notice, channel)
				require.NoError(t, err)
				return found
			}
			require.False(t, told(notice, "slack"))
			require.NoError(t, store.MarkTold(t.Context(), notice, "slack", at))
			require.NoError(t, store.MarkTold(t.Context(), notice, "slack", at.Add(time.Minute)), "twice is once")
			require.True(t, told(notice, "slack"))
			require.False(t, told(notice, "teams"))
			require.False(t, told(other, "slack"))
			waves, err := store.ListWaves(t.Context())
			require.NoError(t, err)
			require.Empty(t, waves, "a notice is no wave")
		})
	}
}
