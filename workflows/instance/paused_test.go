package instance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Whoever pauses a step in Temporal keeps an instance out for as long as nobody looks; people are told, once a pause.
func TestAPausedStepIsTold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.PlanWith("bake: 5m", "bake: 40m")),
	})
	ops := scene.Listen("ops")
	scene.WhenBaking(func() {
		scene.PauseInTemporal("watch bake: it is paused in Temporal by ann: looking")
		scene.Env.RegisterDelayedCallback(func() { scene.PauseInTemporal("") }, 35*time.Minute)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)
	var told []patch.Notice
	for _, notice := range ops.Heard["ops"] {
		if notice.Kind == patch.NoticePaused {
			told = append(told, notice)
		}
	}
	require.Len(t, told, 1, "%v", ops.Kinds("ops"))
	require.Equal(t, "watch bake: it is paused in Temporal by ann: looking", told[0].Why)
	require.Contains(t, told[0].Subject, " of production/ap-northeast-1/web, at its step bake")
}
