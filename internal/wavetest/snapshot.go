package wavetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
)

// Snapshot is what a wave must leave as it found it, read from the simulated AWS itself and not from what the worker
// says.
type Snapshot struct {
	Groups    map[string]GroupSnapshot // by account/region/name
	Instances map[string]string        // id to state
	Targets   map[string][]string      // target group to "instance:port", sorted
}

// GroupSnapshot is what a wave must leave of an Auto Scaling group.
type GroupSnapshot struct {
	Min, Max, Desired int
	Suspended         []string
	Members           []string // sorted ids
	Units             int      // how much of desired they are together: as many as they are, or their weights
}

// Snapshot reads the fleet as it is now.
func (s *Scene) Snapshot() Snapshot {
	found := Snapshot{Groups: map[string]GroupSnapshot{}, Instances: map[string]string{}, Targets: map[string][]string{}}
	s.EachRegion(func(region *world.Region) {
		for _, group := range region.ScalingGroups() {
			seen := GroupSnapshot{
				Min: group.Min, Max: group.Max, Desired: group.Desired, Suspended: slices.Sorted(maps.Keys(group.Suspended)),
			}
			for _, member := range group.Members() {
				seen.Members = append(seen.Members, member.Instance.ID)
				seen.Units += member.Units()
			}
			slices.Sort(seen.Members)
			found.Groups[GroupKey(group)] = seen
		}
		for _, instance := range region.Machines() {
			found.Instances[instance.ID] = string(instance.State)
		}
		for _, group := range region.TargetGroups() {
			for _, target := range group.Targets() {
				found.Targets[group.Name] = append(found.Targets[group.Name], fmt.Sprintf("%s:%d", target.Instance.ID, target.Port))
			}
			slices.Sort(found.Targets[group.Name])
		}
	})
	return found
}

// GroupKey names a group among those of a snapshot: account/region/name.
func GroupKey(group *world.ScalingGroup) string {
	return group.Region.Account.Name + "/" + group.Region.Name + "/" + group.Name
}

// EachRegion lets do look at, or change, each region of each account. It runs under the simulator's lock.
func (s *Scene) EachRegion(do func(*world.Region)) {
	s.Sim.Inspect(func(w *world.World) {
		for _, account := range w.Accounts() {
			for _, region := range account.Regions() {
				do(region)
			}
		}
	})
}

func splitGroup(key string) (account, region, name string) {
	parts := strings.SplitN(key, "/", 3)
	return parts[0], parts[1], parts[2]
}

// AccountID is the id of the account with that name; "" for none.
func (s *Scene) AccountID(name string) string {
	id := ""
	s.Sim.Inspect(func(w *world.World) {
		for _, account := range w.Accounts() {
			if account.Name == name {
				id = account.ID
			}
		}
	})
	return id
}

// The accounts, by id, and the region of the shared fleet and of the example configuration.
const (
	Staging    = "222233334444"
	Production = "111122223333"
	Tokyo      = "ap-northeast-1"
)

// Production lets do change the production group, or look at it.
func (s *Scene) Production(do func(*world.ScalingGroup)) {
	s.Sim.Inspect(func(w *world.World) { do(s.WebIn(w)) })
}

// WebIn is the production group web, for whoever already holds the world.
func (s *Scene) WebIn(w *world.World) *world.ScalingGroup {
	group, err := w.Account(Production).Region(Tokyo).ScalingGroup("web")
	require.NoError(s.T, err)
	return group
}

// Marks lists what carries the journal's tag, with the tag's value.
func (s *Scene) Marks() map[string]string {
	found := map[string]string{}
	s.EachRegion(func(region *world.Region) {
		for _, group := range region.ScalingGroups() {
			for _, tag := range group.Tags {
				if tag.Key == names.TagJournal {
					found[group.Name] = tag.Value
				}
			}
		}
		for _, instance := range region.Machines() {
			if mark := instance.Tags[names.TagJournal]; mark != "" && instance.State != world.Terminated {
				found[instance.ID] = mark
			}
		}
	})
	return found
}

// Numbers are a group's settings, which must be the same before and after a wave.
type Numbers struct{ Min, Max, Desired int }

// NumbersOf are a group's settings now.
func NumbersOf(group *world.ScalingGroup) Numbers {
	return Numbers{Min: group.Min, Max: group.Max, Desired: group.Desired}
}
