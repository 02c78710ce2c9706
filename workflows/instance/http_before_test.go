package instance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// productionAsks has production's http check ask another port than the one that its application answers on.
func productionAsks(port string) func([]byte) []byte {
	return wavetest.PlanWith("          - http: {path: /healthz, port: 80}\n          - alarm",
		"          - http: {path: /healthz, port: "+port+"}\n          - alarm")
}

// An http check that can never pass is found out while the instance still serves, and not by patching it, putting its
// root volume back and putting it in quarantine.
func TestAnHTTPCheckIsAskedWhileTheInstanceServes(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: productionAsks("443")})
	scene.Decide = []patch.Verb{patch.Abort}
	reasons := ""
	scene.OnHold = func(status patch.WaveStatus) { reasons = status.Awaiting }
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Contains(t, reasons, "UnhealthyBefore")
	require.Contains(t, reasons, "http /healthz on port 443 answers 0")
	require.Contains(t, reasons, "plain HTTP")
	require.Zero(t, wavetest.CountInProduction(result, patch.Patched), "%v", wavetest.ProductionOutcomes(result))
	require.Zero(t, wavetest.CountInProduction(result, patch.Quarantined))
	scene.RequireNobodyOut()
	require.Empty(t, scene.Effects("EnterStandby"), "nothing was taken out to find it out")
}
