package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A timer that decides where nobody does ends with the answer: one that fires hours later is shown by the Temporal UI,
// and told by the log, as a decision that nobody took.
func TestTheTimerOfADecisionEndsWithIt(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.FailsOnce(nil)})
	scene.Decide = []patch.Verb{patch.Retry}
	deciding := map[string]time.Duration{}
	var fired []time.Duration
	ended := 0
	scene.Env.SetOnTimerScheduledListener(func(id string, in time.Duration) {
		if in == 24*time.Hour || in == 30*time.Minute { // the plan's approval and on_failure
			deciding[id] = in
		}
	})
	scene.Env.SetOnTimerFiredListener(func(id string) {
		if in, known := deciding[id]; known {
			fired = append(fired, in)
		}
	})
	scene.Env.SetOnTimerCanceledListener(func(id string) {
		if _, known := deciding[id]; known {
			ended++
		}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	require.Empty(t, fired)
	require.GreaterOrEqual(t, ended, 2, "the gate's and the hold's")
}
