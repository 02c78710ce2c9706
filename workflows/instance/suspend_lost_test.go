package instance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A suspension that is throttled first, and whose reply is lost then, is ours: nobody else has made it, and it is
// resumed.
func TestASuspensionWhoseReplyIsLostIsOurs(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended)})
	asked := 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation != "SuspendProcesses" {
			return awssim.Fault{}
		}
		switch asked++; asked {
		case 1:
			return awssim.Fault{Kind: awssim.FaultThrottle}
		case 2:
			return awssim.Fault{Kind: awssim.FaultLostReply}
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Greater(t, asked, 2)
	scene.Production(func(g *world.ScalingGroup) { require.Empty(t, g.Suspended) })
	for _, instance := range result.Stages[0].Groups[0].Instances {
		for _, note := range instance.Notes {
			require.NotContains(t, note, "somebody else")
		}
	}
	scene.RequireInvariants(result, wavetest.Except{})
}
