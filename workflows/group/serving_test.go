package group_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Whoever is asked about a failure is told how many members are in service as it is asked.
func TestAHoldTellsHowManyAreInService(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: thirdFails(nil), Config: wavetest.ProductionOnly(wavetest.PlanWith()),
	})
	scene.Decide = []patch.Verb{patch.Abort}
	held := ""
	scene.OnHold = func(status patch.WaveStatus) { held = status.Awaiting }
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	status, answers := scene.Status()
	require.True(t, answers)
	require.NotContains(t, console.Status(status, patch.Waits{}, console.Page{}), "in service", "it was so then")
	require.Contains(t, held, "When this was asked, 4 of its 4 members were in service. A roll back puts back")
}
