package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// tills is the group of the managed nodes that wavetest.Tills has.
var tills = patch.Group{
	Account: staging.Account, Region: tokyo, ManagedNodes: map[string]string{"Role": "till"},
}

func nodesOf(f *fleet) (nodes []*world.Instance) {
	f.Inspect(func(w *world.World) { nodes = w.Account(staging.Account.ID).Region(tokyo).Nodes() })
	return nodes
}

// faultOnce has one call of an operation, the nth, answered as a fault says.
func (f *fleet) faultOnce(operation string, nth int, fault awssim.Fault) {
	seen := 0
	f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation != operation {
			return awssim.Fault{}
		}
		if seen++; seen != nth {
			return awssim.Fault{}
		}
		return fault
	})
}

// A node's mark that a list of its tags lacks once is there, and comes off; so does its quarantine's tag.
func TestATagThatIsNotListedOnceComesOff(t *testing.T) {
	for _, kind := range []string{awssim.FaultEmpty, awssim.FaultUnlisted} {
		for _, key := range []string{names.TagJournal, names.TagQuarantine} {
			t.Run(kind+" "+key, func(t *testing.T) {
				f := newFleetOf(t, wavetest.Tills("web-2.3"))
				node := nodesOf(f)[0]
				it := activities.Instance{Group: tills, ID: node.ID}
				mark := activities.MarkInstanceInput{
					Instance: it, Journal: activities.Journal{WaveID: "w", Record: names.JournalRecord(tills, node.ID)},
				}
				node.Tags[key] = mark.Journal.Value()
				f.faultOnce("ListTagsForResource", 1, awssim.Fault{Kind: kind})
				if key == names.TagJournal {
					must[struct{}](f, f.aws.UnmarkInstance, mark)
				} else {
					must[struct{}](f, f.aws.UntagQuarantined, it)
				}
				require.NotContains(t, node.Tags, key)
			})
		}
	}
}

// An agent, and a patch state, that a list lacks once are there: the scan goes on.
func TestAScanOfWhatIsNotListedOnce(t *testing.T) {
	for _, kind := range []string{awssim.FaultEmpty, awssim.FaultUnlisted} {
		for operation, nth := range map[string]int{"DescribeInstanceInformation": 1, "DescribeInstancePatchStates": 2} {
			t.Run(kind+" "+operation, func(t *testing.T) {
				f := newFleet(t)
				ids := f.Instances(staging.Account.ID)
				require.Empty(t, f.scan(ids, "")[0].Error) // there is a state before
				f.faultOnce(operation, nth, awssim.Fault{Kind: kind})
				for _, scan := range f.scan(ids, "") {
					require.Empty(t, scan.Error)
					require.NotEmpty(t, scan.Missing)
				}
			})
		}
	}
}

// The tags of nodes are read by a call each: one that is throttled is asked again, and a permission that lacks is told.
func TestTheTagsOfNodesInTrouble(t *testing.T) {
	f := newFleetOf(t, wavetest.Tills("web-2.3"))
	throttled := 0
	f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation != "ListTagsForResource" || throttled == 7 { // more than the SDK tries
			return awssim.Fault{}
		}
		throttled++
		return awssim.Fault{Kind: awssim.FaultThrottle}
	})
	in := activities.InspectGroupInput{Group: tills}
	require.Len(t, must[patch.GroupState](f, f.aws.InspectGroup, in).Members, 2)
	require.Equal(t, 7, throttled)

	f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation != "ListTagsForResource" {
			return awssim.Fault{}
		}
		return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDeniedException", Message: "ssm:ListTagsForResource"}
	})
	_, err := run[patch.GroupState](f, time.Hour, f.aws.InspectGroup, in)
	require.ErrorContains(t, err, "list the tags of the managed node mi-")
	require.ErrorContains(t, err, "ssm:ListTagsForResource")
	requireType(t, err, activities.ErrAccessDenied)
}
