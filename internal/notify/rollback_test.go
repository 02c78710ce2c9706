package notify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/temporalui"
)

// Nothing is won by asking again for what cannot be put back.
func TestARollBackOfWhatCannotBePutBackIsNotTriedAgain(t *testing.T) {
	told := Compose(patch.Notice{
		Kind: patch.NoticeFinished, Key: "k", WaveID: "roll-back-wave-1", PutsBack: "wave-1", Plan: "web",
		Outcome: patch.Refused, Why: "NotRestorable: nothing of wave wave-1 can be put back",
	}, temporalui.UI{})
	require.NotContains(t, told.WhatToDo, "roll back again")
	for _, command := range told.Commands {
		require.NotContains(t, command.Line, "roll-back wave-1")
	}
}

// Whoever is told that a roll back failed wants it rolled back, and no other wave.
func TestARollBackThatFailedIsTriedAgain(t *testing.T) {
	told := Compose(patch.Notice{
		Kind: patch.NoticeFinished, Key: "k", WaveID: "roll-back-wave-1", PutsBack: "wave-1", Plan: "web",
		Outcome: patch.Failed, Why: "DataLoss: the backup is too old",
	}, temporalui.UI{})
	require.NotContains(t, told.WhatToDo, "another wave")
	require.Contains(t, told.Commands, Command{
		When: "to roll back again", Line: `patchtide wave roll-back wave-1 --reason "..."`,
	})
}
