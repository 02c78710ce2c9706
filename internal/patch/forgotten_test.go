package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestWhatWasForgottenBoundsWhoBeginsAnew(t *testing.T) {
	for _, c := range []struct {
		name  string
		left  patch.Forgotten
		level patch.Level
		want  patch.Resumption
	}{
		{"marked, nothing else", patch.Forgotten{Healed: patch.NotStarted}, patch.LevelInstance, patch.Onwards},
		{"a backup of then", patch.Forgotten{Healed: patch.NotStarted, Kept: true}, patch.LevelInstance, patch.AskRetry},
		{
			"an install that may have stayed",
			patch.Forgotten{Healed: patch.NotStarted, Installing: true, Kept: true},
			patch.LevelInstance, patch.ToScan,
		},
		{
			"an install that was put back",
			patch.Forgotten{Healed: patch.RolledBack, Installing: true, Kept: true},
			patch.LevelInstance, patch.Ends,
		},
		{"one that could not be healed", patch.Forgotten{Healed: patch.Failed}, patch.LevelInstance, patch.Ends},
		{"quarantined", patch.Forgotten{Healed: patch.Quarantined}, patch.LevelPutBack, patch.Ends},
		{"a roll back that is finished", patch.Forgotten{Healed: patch.RolledBack}, patch.LevelPutBack, patch.Ends},
		{
			"in service, to be put back",
			patch.Forgotten{Healed: patch.NotStarted, Installing: true, Kept: true},
			patch.LevelPutBack, patch.Onwards,
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.left.Resumes(c.level)) })
	}
}
