package doctor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/doctor"
)

// The doctor looks at managed nodes as at instances: whose agent is silent, and by which baseline they are judged.
func TestManagedNodesAreLookedAt(t *testing.T) {
	b := newSceneOf(t, func(s *world.Scenario) {
		region := &s.Accounts[0].Regions[0]
		region.Nodes = append(region.Nodes, world.NodeSpec{
			Name: "till", Count: 2, Image: "web-2.3", Tags: map[string]string{"Role": "till"},
		})
	})
	b.replace("tags: {Role: web}", "managed_nodes: {Role: till}")
	b.replace("backup: snapshot", "backup: none")
	b.replace("restore: root_volume", "restore: none")
	b.aws.Inspect(func(w *world.World) { w.Account("222233334444").Region(tokyo).Nodes()[0].Unplug() })
	var agents, judged *doctor.Result
	for _, result := range b.look().Results {
		if result.Where != "staging/ap-northeast-1/mi:Role=till" {
			continue
		}
		switch result.Check {
		case "agents":
			agents = &result
		case "patch group":
			judged = &result
		}
	}
	require.NotNil(t, judged)
	require.Contains(t, judged.Mend, "aws ssm add-tags-to-resource --region ap-northeast-1 --resource-type ManagedInstance")
	require.NotNil(t, agents)
	require.Equal(t, doctor.Problem, agents.State)
	require.Contains(t, agents.Says, "1 of 2: mi-")
	require.Contains(t, agents.Says, "not online")
}
