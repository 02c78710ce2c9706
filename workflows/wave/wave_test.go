package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

func TestHealthyWave(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, map[string][]patch.Outcome{
		"staging":    {patch.Patched, patch.Patched},
		"production": {patch.Patched, patch.Patched, patch.Patched, patch.Patched},
	}, wavetest.Outcomes(result))
	require.Empty(t, result.Stranded)
	require.Len(t, scene.Effects("StartAutomationExecution"), 6)
	require.LessOrEqual(t, scene.Sim.MaxOutOfService("111122223333", "ap-northeast-1", "web"), 1)
}

func TestBadPatchIsPutBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
	scene.Decide = []patch.Verb{patch.RollBack}
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Equal(t, map[string][]patch.Outcome{
		"staging":    {patch.Patched, patch.Patched},
		"production": {patch.RolledBack, patch.NotStarted, patch.NotStarted, patch.NotStarted},
	}, wavetest.Outcomes(result))
	require.Empty(t, result.Stranded)
	require.LessOrEqual(t, scene.Sim.MaxOutOfService("111122223333", "ap-northeast-1", "web"), 1)
}

func TestStuckRebootIsRestoredThenSkipped(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "stuck-reboot"})
	scene.Decide = []patch.Verb{patch.Skip}
	var asked string
	scene.OnHold = func(status patch.WaveStatus) { asked = status.Awaiting }
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
	require.Regexp(t, `i-\w+ rolled back: install: .* it has not come back from its reboot`, asked, "in words")
	require.Len(t, wavetest.Outcomes(result)["production"], 4)
	require.Contains(t, wavetest.Outcomes(result)["production"], patch.RolledBack)
	require.Empty(t, result.Stranded)
	for _, instance := range result.Stages[1].Groups[0].Instances {
		if instance.Outcome == patch.RolledBack {
			require.Regexp(t, `^install: .*: it has not come back from its reboot: Systems Manager has not heard of its agent `+
				`since .*\. Install and reboot had `, instance.Reason)
		}
	}
}

func TestLostRepliesDoNothingTwice(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "lost-replies"})
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Empty(t, result.Stranded)
	require.Len(t, scene.Effects("StartAutomationExecution"), 6)
	require.Len(t, scene.Effects("CreateSnapshot"), 6)
}
