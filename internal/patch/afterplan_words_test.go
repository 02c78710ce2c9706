package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestHowAWaveEndedThatDidNotEndByItself(t *testing.T) {
	require.Equal(t, patch.Outcome("Terminated"), patch.Succeeded.NotByItself("Terminated"))
	require.Equal(t, patch.Outcome("Failed"), patch.Outcome("").NotByItself("Failed"))
	require.Equal(t, patch.Refused, patch.Refused.NotByItself("Failed"))
	require.True(t, patch.WaveState("").NeverBegan())
	require.True(t, patch.StateResolving.NeverBegan())
	require.False(t, patch.StatePreflight.NeverBegan())
}
