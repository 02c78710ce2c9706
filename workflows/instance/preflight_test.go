package instance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What is found out only when an instance's turn comes holds the wave, and the instance is left as it was.
func TestRefusalsBeforeAnInstance(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*world.ScalingGroup)
		want string
	}{
		{"Launch suspended meanwhile", func(g *world.ScalingGroup) { _ = g.Suspend([]string{"Launch"}) }, "ProcessSuspended"},
		{"instance refresh begun meanwhile", func(g *world.ScalingGroup) {
			_, _ = g.StartRefresh()
		}, "InstanceRefreshRunning"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Decide = []patch.Verb{patch.Abort}
			scene.WhenAtStep(patch.StepBake, func(string) { scene.Production(c.do) })
			reasons := ""
			scene.OnHold = func(status patch.WaveStatus) { reasons = status.Awaiting }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Contains(t, reasons, c.want)
			require.Equal(t, patch.Aborted, result.Outcome)
			require.Equal(t, 1, wavetest.CountInProduction(result, patch.Patched), "%v", wavetest.ProductionOutcomes(result))
			scene.RequireNobodyOut()
		})
	}
}
