package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// apart is production alone, of two zones that are taken so long apart.
func apart(soak string) wavetest.Options {
	return wavetest.Options{
		Scenario: "healthy", Config: func(file []byte) []byte {
			return wavetest.ProductionOnly(wavetest.PlanWith("        max_unavailable: 1\n",
				"        max_unavailable: 1\n        order: zone\n        zone_soak: "+soak+"\n",
				"approval: {required: true, timeout: 24h}", "approval: {required: false}"))(quick(file))
		},
	}
}

func soaks(status patch.WaveStatus) bool { return status.Waits() != "" }

// What a wave is told while a zone soaks acts at once.
func TestWhatIsToldInASoak(t *testing.T) {
	for verb, want := range map[patch.Verb]patch.Outcome{
		patch.RollBack: patch.RolledBack, patch.Abort: patch.Aborted,
	} {
		t.Run(string(verb), func(t *testing.T) {
			scene := wavetest.New(t, apart("12h"))
			began := scene.Env.Now()
			scene.When(soaks, func(patch.WaveStatus) { scene.Tell(verb, "") })
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, want, result.Outcome, result.Reason)
			require.Less(t, scene.Env.Now().Sub(began), 6*time.Hour)
			require.Len(t, byStart(result), map[patch.Verb]int{patch.RollBack: 0, patch.Abort: 2}[verb])
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// A window that closes in a soak parks the wave, which holds no locks outside of it; the rest of the soak passes
// meanwhile.
func TestAWindowClosesInASoak(t *testing.T) {
	scene := wavetest.New(t, apart("12h"))
	next := twoWindows(scene, 3*time.Hour)
	var parked time.Time
	scene.When(isParked, func(patch.WaveStatus) {
		parked = scene.Env.Now()
		requireParked(scene)
		scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
	})
	began := scene.Env.Now()
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	require.WithinDuration(t, began.Add(3*time.Hour), parked, 10*time.Minute)
	all := byStart(result)
	require.Len(t, all, 4)
	require.True(t, all[1].Started.Before(next))
	require.WithinDuration(t, next, all[2].Started, time.Hour, "no soak more")
	scene.RequireInvariants(result, wavetest.Except{})
}
