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
