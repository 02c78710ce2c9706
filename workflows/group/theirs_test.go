package group_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Making room for several takes minutes: what somebody suspends meanwhile is theirs when the group suspends the rest.
func TestWhatSomebodySuspendsWhileRoomIsMadeStaysSuspended(t *testing.T) {
	scene := wavetest.New(t, surging())
	scene.When(func(patch.WaveStatus) bool { return len(scene.Effects("UpdateAutoScalingGroup")) == 1 },
		func(patch.WaveStatus) {
			ours := scene.Effects("SuspendProcesses")
			require.Len(t, ours, 1, "for the room; they come before us otherwise")
			require.JSONEq(t, `{"AutoScalingGroupName":"web","ScalingProcesses":["AZRebalance"]}`, string(ours[0].Arguments))
			scene.Production(func(g *world.ScalingGroup) { g.Suspended[patch.ProcessReplaceUnhealthy] = "by hand" })
		})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	require.Greater(t, len(scene.Effects("SuspendProcesses")), 1)
	scene.Production(func(g *world.ScalingGroup) {
		require.Equal(t, map[string]string{patch.ProcessReplaceUnhealthy: "by hand"}, g.Suspended)
	})
	require.Contains(t, result.Stages[0].Groups[0].Notes,
		"ReplaceUnhealthy was suspended by somebody else meanwhile, and stays so")
}
