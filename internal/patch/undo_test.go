package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// A person's word is heeded of what fails, and of what does not end, known or not; an undo that only takes its time is
// not cut.
func TestMayGiveUp(t *testing.T) {
	for _, c := range []struct {
		name          string
		failed, waits bool
		tried         time.Duration
		want          bool
	}{
		{"under way", false, false, time.Minute, false},
		{"it failed", true, false, time.Minute, true},
		{"it waits, as waits do", true, true, time.Minute, false},
		{"it waits without end", true, true, patch.UndoFailsAfter, true},
		{"it does not end, and nobody knows why", false, false, patch.UndoFailsAfter, true},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, patch.MayGiveUp(c.failed, c.waits, c.tried)) })
	}
}
