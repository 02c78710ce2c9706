package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// An id is used once: the Temporal UI fills in the old one where a wave is started like another, and the second's
// evidence would take the place of the first's, by which it is rolled back.
func TestAnIDThatAWaveHasHadIsRefused(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Play(func(story wavetest.Story) {
		first := story.Wave("tonight")
		require.Equal(t, patch.Succeeded, first.Outcome)
		story.Refuses(story.Begin("tonight", "web"), activities.ErrInvalidInput, "a wave tonight has been before")
		back, err := story.RollBack("tonight", false)
		require.NoError(t, err)
		require.Equal(t, patch.RolledBack, back.Outcome)
		require.Equal(t, 4, wavetest.CountInProduction(back, patch.RolledBack), "the first one's evidence is there still")
	})
}
