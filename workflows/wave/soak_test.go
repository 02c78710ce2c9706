package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// soaked has production wait for staging, with backups that are young enough all the while.
func soaked(after string) func([]byte) []byte {
	return func(file []byte) []byte {
		return wavetest.PlanWith(
			"        service: web\n", "        service: web\n        after: "+after+"\n",
			"    restore: root_volume\n", "    restore: root_volume\n    retention: 30d\n    timing: {rollback_max_age: 20d}\n",
		)(quick(file))
	}
}

func isSoaking(s patch.WaveStatus) bool { return s.State == patch.StateSoaking && len(s.Verbs) > 0 }

// soakOf is the soak of a wave's first stage.
func soakOf(t *testing.T, scene *wavetest.Scene) patch.Soak {
	t.Helper()
	var document activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
	require.NotNil(t, document.Status.Stages[0].Soak)
	return *document.Status.Stages[0].Soak
}

func TestAStageSoaksForThreeDaysAndTheWaveGoesOnInTheNextWindow(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked("3d")})
	people := scene.Overhear()
	start := scene.Env.Now()
	scene.Plans.Within = &patch.Window{Opens: start.Add(-time.Hour), Cutoff: start.Add(time.Hour), Closes: start.Add(2 * time.Hour)}
	for _, day := range []int{1, 2, 3, 4, 7} { // the soak ends after the fourth
		opens := start.Add(time.Duration(day)*24*time.Hour - time.Hour)
		scene.Plans.Following = append(scene.Plans.Following, patch.Window{
			Opens: opens, Cutoff: opens.Add(time.Hour), Closes: opens.Add(2 * time.Hour),
		})
	}
	next := scene.Plans.Following[3].Opens
	var first, late patch.WaveStatus
	scene.OnLook = people.Looked
	scene.When(isSoaking, func(status patch.WaveStatus) {
		first = status
		requireParked(scene)
		scene.Env.RegisterDelayedCallback(func() {
			late, _ = scene.Status()
			requireParked(scene)
		}, 72*time.Hour+30*time.Minute)
	})
	var asked patch.WaveStatus
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(status patch.WaveStatus) { asked = status })
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
	soak := soakOf(t, scene)
	require.Equal(t, "production", soak.Before)
	require.Equal(t, 72*time.Hour, soak.Until.Sub(soak.Since))
	require.Equal(t, "staging", first.Stage, "a roll back of the stage puts back what soaks")
	require.Contains(t, first.Awaiting, "staging is done since "+brief.UTC(soak.Since)+" and soaks until "+brief.UTC(soak.Until))
	require.Contains(t, first.Awaiting, "Then the approval of production is asked in the window that opens at "+brief.UTC(next))
	require.Equal(t, []patch.Verb{patch.Resume, patch.RollBack, patch.Abort, patch.ExtendWindow}, first.Verbs)
	require.False(t, first.Asks(), "it goes on by itself")
	require.Contains(t, first.ETA.NotCounted, "the soak of staging until "+brief.UTC(soak.Until))
	require.Equal(t, patch.StateSoaking, late.State, "no window is open yet")
	require.Contains(t, late.Awaiting, "staging soaked for 3d")
	require.False(t, asked.Since.Before(next), "%s", asked.Since)
	require.Contains(t, asked.Awaiting, "staging soaked for 3d")
	require.Contains(t, asked.Awaiting, "2 well")
	require.InDelta(t, 95, soak.Looks, 3, "once an hour")
	require.Zero(t, soak.Bad+soak.Unread)
	require.Empty(t, people.Untold(result))
	scene.RequireInvariants(result, wavetest.Except{})
	scene.RequireVersions(result)
}
