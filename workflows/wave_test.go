package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

func TestHealthyWave(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	result, err := b.run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, map[string][]patch.Outcome{
		"staging":    {patch.Patched, patch.Patched},
		"production": {patch.Patched, patch.Patched, patch.Patched, patch.Patched},
	}, outcomes(result))
	require.Empty(t, result.Stranded)
	require.Len(t, b.effects("StartAutomationExecution"), 6)
	require.LessOrEqual(t, b.sim.MaxOutOfService("111122223333", "ap-northeast-1", "web"), 1)
}

func TestBadPatchIsPutBack(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "bad-patch"})
	b.decide = []patch.Verb{patch.RollBack}
	result, err := b.run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Equal(t, map[string][]patch.Outcome{
		"staging":    {patch.Patched, patch.Patched},
		"production": {patch.RolledBack, patch.NotStarted, patch.NotStarted, patch.NotStarted},
	}, outcomes(result))
	require.Empty(t, result.Stranded)
	require.LessOrEqual(t, b.sim.MaxOutOfService("111122223333", "ap-northeast-1", "web"), 1)
}

func TestStuckRebootIsRestoredThenSkipped(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "stuck-reboot"})
	b.decide = []patch.Verb{patch.Skip}
	result, err := b.run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
	require.Len(t, outcomes(result)["production"], 4)
	require.Contains(t, outcomes(result)["production"], patch.RolledBack)
	require.Empty(t, result.Stranded)
}

func TestLostRepliesDoNothingTwice(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "lost-replies"})
	result, err := b.run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Empty(t, result.Stranded)
	require.Len(t, b.effects("StartAutomationExecution"), 6)
	require.Len(t, b.effects("CreateSnapshot"), 6)
}
