package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// How far a group has come, a person reads in one cell: of what was put back "3 of 6 done" would be the opposite.
func TestTheCountOfAGroup(t *testing.T) {
	for _, c := range []struct {
		name  string
		group patch.GroupCounts
		says  string
	}{
		{"it patches", patch.GroupCounts{Phase: patch.GroupPatching, Done: 3, Patched: 2, Total: 6}, "3 of 6"},
		{"it succeeded", patch.GroupCounts{Phase: patch.GroupDone, Outcome: patch.Succeeded, Done: 6, Total: 6}, "6 of 6"},
		{"it is put back", patch.GroupCounts{Phase: patch.GroupRollingBack, Done: 3, Patched: 2, Total: 6}, "2 to be put back"},
		{
			"it was put back",
			patch.GroupCounts{Phase: patch.GroupDone, Outcome: patch.RolledBack, Done: 3, Total: 6},
			"0 of 6 patched",
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.says, c.group.Count()) })
	}
}
