package group

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// The page of a group leads to its instances' pages, to that of the one under way too, and nowhere where there is none.
func TestAGroupsPageLeadsToItsInstances(t *testing.T) {
	group := patch.Group{
		Account: patch.Account{Name: "production", ID: "111122223333"}, Region: "r", AutoScalingGroup: "web",
	}
	text := details(patch.GroupStatus{
		Group: group.String(), Phase: patch.GroupPatching, Current: []string{names.InstanceLock(group, "i-2")},
		Now: []patch.InstanceNow{{ID: "i-2", Step: patch.StepInstall, Since: time.Unix(0, 0)}},
		Instances: []patch.InstanceResult{
			{ID: "i-1", Outcome: patch.Patched, MissingBefore: 3},
			{ID: "i-2", Outcome: patch.NotStarted},
			{ID: "i-3", Outcome: patch.NotStarted},
		},
	}, group, "ops")
	const page = "(namespaces/ops/workflows/patch-instance%2F111122223333%2Fr%2F"
	require.Contains(t, text, "| [i-1]"+page+"i-1) | patched |  | 3 → 0 |  |\n")
	require.Contains(t, text, "| [i-2]"+page+"i-2) | **install** | 00:00:00 |  |  |\n")
	require.Contains(t, text, "| i-3 | not started |  |  |  |\n")
}
