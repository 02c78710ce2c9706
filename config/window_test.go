package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/patch"
)

func TestWindow(t *testing.T) {
	const stages = "    stages:\n      - name: staging\n"
	windowed := func(t *testing.T, window string) *config.Config {
		t.Helper()
		c, err := config.Parse("f.yaml", []byte(replaced(t, stages, "    windows: ["+window+"]\n"+stages)), nil)
		require.NoError(t, err)
		return c
	}
	tokyo := windowed(t, `{schedule: "cron(0 2 ? * SUN#2 *)", time_zone: Asia/Tokyo, duration: 4h, cutoff: 1h}`)
	opens := time.Date(2026, 11, 7, 17, 0, 0, 0, time.UTC)
	for name, at := range map[string]time.Time{"before": opens.AddDate(0, 0, -3), "inside": opens.Add(3*time.Hour - time.Second)} {
		window, err := tokyo.Window("web", at)
		require.NoError(t, err, name)
		require.True(t, window.Opens.Equal(opens), "%s: %s", name, window.Opens)
		require.True(t, window.Cutoff.Equal(opens.Add(3*time.Hour)), name)
		require.True(t, window.Closes.Equal(opens.Add(4*time.Hour)), name)
	}
	next, err := tokyo.Window("web", opens.Add(3*time.Hour))
	require.NoError(t, err)
	require.True(t, next.Opens.Equal(time.Date(2026, 12, 12, 17, 0, 0, 0, time.UTC)), next.Opens)

	rated := windowed(t, `{schedule: rate(7 days), start: "2026-01-04T02:00:00+09:00", duration: 4h}`)
	window, err := rated.Window("web", opens)
	require.NoError(t, err)
	require.Equal(
		t, patch.Window{Opens: opens, Cutoff: opens.Add(4 * time.Hour), Closes: opens.Add(4 * time.Hour)}, *window,
	)

	over := windowed(t, `{schedule: "cron(0 2 1 1 ? 2025)", duration: 4h}`)
	_, err = over.Window("web", opens)
	require.ErrorContains(t, err, "no window of plan web opens after 2026-11-07T17:00:00Z")

	none, err := config.Parse("f.yaml", config.Example(), nil)
	require.NoError(t, err)
	window, err = none.Window("web", opens)
	require.NoError(t, err)
	require.Nil(t, window)
	_, err = none.Window("wbe", opens)
	require.ErrorContains(t, err, `there is no plan "wbe"`)
}
