package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestWhatNobodysAnswerLeadsTo(t *testing.T) {
	const person = "an earlier window patched is put back by a person only"
	for _, c := range []struct {
		name   string
		then   patch.Verb
		goneOn bool // in a later window
		want   patch.Verb
		person bool // it says that only a person puts back
	}{
		{"in its own window, roll back", patch.RollBack, false, patch.RollBack, false},
		{"in its own window, abort", patch.Abort, false, patch.Abort, false},
		{"in its own window, skip", patch.Skip, false, patch.Skip, false},
		{"in a later window, roll back", patch.RollBack, true, patch.Abort, true},
		{"in a later window, abort", patch.Abort, true, patch.Abort, false},
		{"in a later window, skip: nothing is put back by it", patch.Skip, true, patch.Skip, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			stage := patch.Stage{OnFailure: patch.OnFailure{Timeout: patch.Duration(30 * time.Minute), Then: c.then}}
			verb, why := stage.Silence(c.goneOn)
			require.Equal(t, c.want, verb)
			require.Contains(t, why, "nobody answered within 30m0s")
			if c.person {
				require.Contains(t, why, person)
			} else {
				require.NotContains(t, why, person)
			}
		})
	}
}
