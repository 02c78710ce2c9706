package notify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// A notice that asks says of every verb when to send it, and how.
func TestEveryVerbIsSaidInANotice(t *testing.T) {
	at := patch.Point{Stage: "production", Hold: 2}
	message := words(patch.Notice{
		Kind: patch.NoticeOnHold, WaveID: "wave-web-1", Verbs: patch.Verbs(), Stage: at.Stage, Hold: at.Hold,
	})
	require.Len(t, message.Commands, len(patch.Verbs()))
	for i, verb := range patch.Verbs() {
		require.NotEmpty(t, message.Commands[i].When, verb)
		require.Equal(t, names.VerbCommand(verb, "wave-web-1", verb.ToFill(at)...), message.Commands[i].Line)
	}
}
