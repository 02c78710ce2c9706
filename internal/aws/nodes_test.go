package aws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// tills is the group of the managed nodes that wavetest.Tills has.
var tills = patch.Group{
	Account: simtest.Staging.Account, Region: simtest.Tokyo, ManagedNodes: map[string]string{"Role": "till"},
}

func readTills(t *testing.T, fleet *simtest.Fleet) *patch.GroupState {
	t.Helper()
	state, err := aws.ReadGroupState(t.Context(), fleet.Services(tills), tills)
	require.NoError(t, err)
	return state
}

func TestManagedNodesAreReadAsMembers(t *testing.T) {
	fleet := simtest.New(t, simtest.Options{Change: wavetest.Tills("web-2.3", "tills")})
	state := readTills(t, fleet)
	require.Len(t, state.Members, 2)
	require.Empty(t, state.SharedAddresses)
	node := state.Members[0]
	require.True(t, patch.IsNode(node.ID))
	require.Equal(t, []any{"running", true, true, "", "", true}, []any{
		node.State, node.AgentOnline, node.StatusOK, node.RootVolumeID, node.Zone, node.FreeTags,
	})
	require.Equal(t, patch.System{Name: "Amazon Linux", Version: "2023"}, node.Runs)
	require.False(t, node.LaunchTime.IsZero(), "its registration stands for its launch")
	require.Len(t, node.Targets, 1)
	require.Equal(t, "all", node.Targets[0].Zone, "without which it could not be registered again")
	require.Equal(t, patch.TargetHealthy, node.Targets[0].Health)

	ofEC2, err := aws.ReadGroupState(t.Context(), fleet.Services(simtest.Staging), simtest.Staging)
	require.NoError(t, err)
	require.Len(t, ofEC2.Members, 2)
	for _, member := range ofEC2.Members {
		require.False(t, patch.IsNode(member.ID), "tags choose instances of EC2's only")
	}
}

func TestANodeThatIsSilentIsNotWell(t *testing.T) {
	fleet := simtest.New(t, simtest.Options{Change: wavetest.Tills("web-2.3")})
	fleet.Inspect(func(w *world.World) {
		w.Account(simtest.Staging.Account.ID).Region(simtest.Tokyo).Nodes()[0].Lose()
	})
	fleet.Pass(10 * time.Minute)
	online := 0
	for _, member := range readTills(t, fleet).Members {
		require.Equal(t, member.AgentOnline, member.StatusOK)
		require.True(t, member.Present(), "it is registered")
		if member.AgentOnline {
			online++
		}
	}
	require.Equal(t, 1, online)
}

// A node's absence is believed once Systems Manager has not listed it for a while.
func TestANodeThatIsDeregisteredIsGone(t *testing.T) {
	fleet := simtest.New(t, simtest.Options{Change: wavetest.Tills("web-2.3")})
	services := fleet.Services(tills)
	id := readTills(t, fleet).Members[0].ID
	in := aws.Instance{Group: tills, ID: id}
	found, err := aws.ReadMachine(t.Context(), services, in)
	require.NoError(t, err)
	require.Equal(t, id, *found.InstanceId)
	fleet.Inspect(func(w *world.World) {
		require.NoError(t, w.Account(simtest.Staging.Account.ID).Region(simtest.Tokyo).Deregister(id))
	})
	_, err = aws.ReadMachine(t.Context(), services, in)
	require.ErrorContains(t, err, "Systems Manager does not list "+id)
	fleet.Pass(patch.DefaultTiming().ReadLag.D() + time.Second)
	_, err = aws.ReadMachine(t.Context(), services, in)
	require.ErrorContains(t, err, "Systems Manager no longer has the managed node registered")
	require.Len(t, readTills(t, fleet).Members, 1)
}

// Two sites may use the same private addresses: nobody can tell whose a registration is.
func TestNodesThatShareAnAddressAreNamed(t *testing.T) {
	fleet := simtest.New(t, simtest.Options{Change: func(s *world.Scenario) {
		wavetest.Tills("web-2.3", "tills")(s)
		region := &s.Accounts[0].Regions[0]
		region.Nodes = append(region.Nodes, world.NodeSpec{Name: "other", Image: "web-2.3", Address: "192.168.0.10"})
	}})
	state := readTills(t, fleet)
	require.Len(t, state.SharedAddresses, 1)
	require.Contains(t, state.SharedAddresses[0], "as 192.168.0.10, an address that mi-")
	var refused []string
	for _, refusal := range patch.Refusals(patch.LevelGroup, patch.View{Group: tills, State: state}) {
		refused = append(refused, refusal.Error())
	}
	require.Contains(t, strings.Join(refused, "\n"), "nobody can tell which of them gets its requests")
}

func TestAManagedNodeThatARefusalNamesIsLeftOut(t *testing.T) {
	node, other := "mi-0123abcd456789012", "mi-0fedcba9876543210"
	to := &aws.Addressees{Online: []string{node, other}, Left: map[string]string{}}
	require.True(t, to.Drop(&smithy.GenericAPIError{
		Code: "InvalidInstanceId", Message: "Instances [[" + node + "]] not in a valid state for account 111122223333",
	}))
	require.Equal(t, []string{other}, to.Online)
}
