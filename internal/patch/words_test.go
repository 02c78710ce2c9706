package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// What is put in a sentence for people has words, where its name has underscores. What they are told to send keeps its
// name.
func TestWords(t *testing.T) {
	by := patch.Decision{Actor: "ann", Reason: "the patch is bad"}
	for _, c := range []struct{ name, said, want string }{
		{"an outcome", patch.SucceededWithSkips.Words(), "succeeded with skips"},
		{"a state", patch.StateAwaitingApproval.Words(), "awaiting approval"},
		{"a phase", patch.GroupRollingBack.Words(), "rolling back"},
		{"a kind of notice", patch.NoticeFailedInstance.Words(), "failed instance"},
		{"a verb", patch.RollBack.Words(), "roll back"},
		{"who decided", patch.RollBack.By(by), "roll back by ann (the patch is bad)"},
		{
			"what a state takes",
			patch.VerbAllowed(patch.Approve, patch.StateOnHold, []patch.Verb{patch.Retry, patch.RollBack}).Error(),
			"the wave is on hold: it takes retry, roll_back, not approve",
		},
		{
			"what nothing holds",
			patch.VerbAllowed(patch.Pause, patch.StateRollingBack, []patch.Verb{patch.Abort}).Error(),
			"the wave is rolling back: it takes abort, not pause; nothing holds what is put back: it goes on, one instance " +
				"after the other, until each is. An abort gives up on what cannot be put back, and on nothing else",
		},
		{
			"what stood unproven",
			patch.NotProven("staging", []patch.NoticedInstance{{ID: "i-1", Outcome: patch.RolledBack, Reason: "install"}}),
			"i-1 rolled back (install)",
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Contains(t, c.said, c.want) })
	}
}
