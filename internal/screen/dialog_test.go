package screen

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// What is typed first takes the place of what stands there already; what is left alone, or edited, stays.
func TestAPresetGivesWayToWhatIsTyped(t *testing.T) {
	for typed, scope := range map[string]patch.Scope{"wave": patch.ScopeWave, "": patch.ScopeStage} {
		look := held()
		look.Status.Verbs = []patch.Verb{patch.RollBack}
		w := watch(t, look)
		w.press(patch.RollBack.Spec().Key)
		if typed != "" {
			w.press(typed)
		}
		w.press("<enter>", "bad", "<enter>")
		require.Equal(t, []string{fmt.Sprintf("%s alice \"bad\" %s0", patch.RollBack, scope)}, w.sent)
	}
}

// Where the stage has patched nothing and those before it have, Enter puts back what there is.
func TestAPresetIsWhatPutsSomethingBack(t *testing.T) {
	look := held()
	look.Status.Verbs = []patch.Verb{patch.RollBack}
	look.Status.RollsBack = patch.RollsBack{Wave: 2}
	for i := range look.Status.Stages {
		for g := range look.Status.Stages[i].Groups {
			look.Status.Stages[i].Groups[g].Phase = patch.GroupHeld
		}
	}
	w := watch(t, look)
	w.press(patch.RollBack.Spec().Key)
	w.press("<enter>", "bad", "<enter>")
	require.Equal(t, []string{fmt.Sprintf("%s alice \"bad\" %s0", patch.RollBack, patch.ScopeWave)}, w.sent)
}
