package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Stocktaking is on a Sunday, in UTC.
var stocktaking = time.Date(2036, 11, 9, 0, 0, 0, 0, time.UTC)

// blackedOut gives the plan web a blackout, and whatever else is said of it.
func blackedOut(lines string) func([]byte) []byte {
	return func(file []byte) []byte {
		return wavetest.PlanWith("    stages:\n      - name: staging\n",
			"    blackout: [{from: 2036-11-09, reason: stocktaking}]\n"+lines+"    stages:\n      - name: staging\n")(quick(file))
	}
}

// Nobody starts a wave in a blackout, with a window or without.
func TestABlackoutRefusesAWave(t *testing.T) {
	for name, lines := range map[string]string{
		"without a window": "",
		"in a window": `    windows: [{schedule: "cron(0 2 ? * * *)", duration: 4h}]
`,
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: blackedOut(lines), Start: stocktaking.Add(3 * time.Hour),
			})
			scene.Plans.Scheduled = true
			_, err := scene.Run(wavetest.WebWave)
			require.ErrorContains(t, err, "Blackout: web: it is in the blackout from 2036-11-09T00:00:00Z until "+
				"2036-11-10T00:00:00Z (stocktaking); start the wave once it is over, at 2036-11-10T00:00:00Z")
			scene.RequireInvariants(nil, wavetest.Except{})
			require.Empty(t, scene.Mutations(wavetest.Production))
		})
	}
}

// A wave under way when a blackout begins parks as at the end of its window: nothing begins that would not be done by
// then, nobody widens the window into it, and once somebody resumes it the rest is patched when it is over.
func TestABlackoutEndsAWindow(t *testing.T) {
	for name, c := range map[string]struct {
		lines string
		again time.Time
	}{
		"without a window": {"", stocktaking.Add(24 * time.Hour)},
		"in a window": {
			`    windows: [{schedule: "cron(30 22 ? * * *)", duration: 8h}]
`, stocktaking.Add(46*time.Hour + 30*time.Minute),
		},
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: blackedOut(c.lines), Start: stocktaking.Add(-75 * time.Minute),
			})
			scene.Plans.Scheduled = true
			began := 0
			scene.When(isParked, func(status patch.WaveStatus) {
				began = len(scene.Effects("EnterStandby"))
				require.True(t, c.again.Equal(status.NextWindow.Opens), "%s", status.NextWindow.Opens)
				require.False(t, scene.Env.Now().After(stocktaking), "it waits for no instance in the blackout")
				require.Contains(t, status.Window.Cut, "(stocktaking)")
				requireParked(scene)
				scene.Refuses(patch.ExtendWindow, map[string]any{
					"actor": "tester", "reason": "a bit more", "until": stocktaking.Add(time.Hour).Format(time.RFC3339),
				}, "(stocktaking); a window ends there")
				scene.Env.RegisterDelayedCallback(func() {
					scene.MustTake(patch.Resume, wavetest.Because("go on after it"))
				}, time.Hour)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
			out := scene.Effects("EnterStandby")
			require.Len(t, out, 4, "each instance went out once")
			require.Positive(t, began)
			require.Less(t, began, 4)
			require.False(t, out[began].Time.Before(c.again))
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}
