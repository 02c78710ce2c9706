package patch

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDurationsMayHaveDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"3d": 72 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0, "30d": 720 * time.Hour, "2d30m": 48*time.Hour + 30*time.Minute,
		"72h": 72 * time.Hour, "1h30m": 90 * time.Minute, "50ms": 50 * time.Millisecond,
	} {
		var d Duration
		require.NoError(t, d.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, d.D(), text)
		again, err := json.Marshal(d)
		require.NoError(t, err)
		var read Duration
		require.NoError(t, json.Unmarshal(again, &read))
		require.Equal(t, d, read, text)
	}
	for _, text := range []string{"d", "-1d", "1.5d", "1d-1h", "1d+1h", "1d24h", "3 d", "1dd", "1h1d", "99999999d", "d1h"} {
		var d Duration
		require.ErrorContains(t, d.UnmarshalText([]byte(text)), "is not a duration", text)
	}
}
