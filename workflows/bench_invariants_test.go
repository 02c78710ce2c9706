package workflows_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// fleet is what a wave must leave as it found it, read from the simulated AWS itself and not from what the worker says.
type fleet struct {
	groups    map[string]groupPhoto // by account/region/name
	instances map[string]string     // id to state
	targets   map[string][]string   // target group to "instance:port", sorted
}

type groupPhoto struct {
	min, max, desired int
	suspended         []string
	members           []string // sorted ids
}

func (b *bench) photograph() fleet {
	photo := fleet{groups: map[string]groupPhoto{}, instances: map[string]string{}, targets: map[string][]string{}}
	b.eachRegion(func(region *world.Region) {
		for _, group := range region.ScalingGroups() {
			shot := groupPhoto{min: group.Min, max: group.Max, desired: group.Desired, suspended: slices.Sorted(maps.Keys(group.Suspended))}
			for _, member := range group.Members() {
				shot.members = append(shot.members, member.Instance.ID)
			}
			slices.Sort(shot.members)
			photo.groups[groupKey(group)] = shot
		}
		for _, instance := range region.Instances() {
			photo.instances[instance.ID] = string(instance.State)
		}
		for _, group := range region.TargetGroups() {
			for _, target := range group.Targets() {
				photo.targets[group.Name] = append(photo.targets[group.Name], fmt.Sprintf("%s:%d", target.Instance.ID, target.Port))
			}
			slices.Sort(photo.targets[group.Name])
		}
	})
	return photo
}

func groupKey(group *world.ScalingGroup) string {
	return group.Region.Account.Name + "/" + group.Region.Name + "/" + group.Name
}

func (b *bench) eachRegion(do func(*world.Region)) {
	b.sim.Inspect(func(w *world.World) {
		for _, account := range w.Accounts() {
			for _, region := range account.Regions() {
				do(region)
			}
		}
	})
}

// after says what a wave may leave different. The zero value: nothing.
type after struct {
	stranded       []string // a part of each stranded thing's resource, in order
	newcomers      int      // members that were not there before, in all groups
	out            []string // instances that are not registered any more: quarantined, terminated
	deleted        []string // groups that somebody deleted meanwhile
	maxUnavailable int      // 0 is 1
	foreignMarks   []string // resources that carried somebody else's mark before
}

// settled is how long AWS may take to finish what was begun: a launch, a registration, an activity.
const settled = time.Hour

// requireInvariants proves from the simulator what must hold after every wave, however it ended.
func (b *bench) requireInvariants(result *patch.WaveResult, want after) {
	b.t.Helper()
	if want.maxUnavailable == 0 {
		want.maxUnavailable = 1
	}
	b.requireStranded(result, want)
	// At the wave's end nothing of ours stays...
	b.requireNothingOfOurs(want)
	// ...and once AWS has finished what was begun, the fleet is as it was.
	b.sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(settled)) })
	b.requireNothingOfOurs(want)
	b.requireSameFleet(want)
	for key := range b.photo.groups {
		account, where, name := splitGroup(key)
		require.LessOrEqual(b.t, b.sim.MaxOutOfService(b.accountID(account), where, name), want.maxUnavailable, "%s: out of service at once", key)
	}
	require.LessOrEqual(b.t, b.sim.MaxOutOfService(accountStaging, tokyoRegion, "Role=web"), want.maxUnavailable, "staging: out of service at once")
}

// The accounts of the shared fleet and of the example configuration.
const (
	accountStaging    = "222233334444"
	accountProduction = "111122223333"
	tokyoRegion       = "ap-northeast-1"
)

func (b *bench) accountID(name string) string {
	id := ""
	b.sim.Inspect(func(w *world.World) {
		for _, account := range w.Accounts() {
			if account.Name == name {
				id = account.ID
			}
		}
	})
	return id
}

func splitGroup(key string) (account, region, name string) {
	parts := strings.SplitN(key, "/", 3)
	return parts[0], parts[1], parts[2]
}

func (b *bench) requireStranded(result *patch.WaveResult, want after) {
	b.t.Helper()
	if result == nil {
		require.Empty(b.t, want.stranded)
		return
	}
	require.Len(b.t, result.Stranded, len(want.stranded), "%+v", result.Stranded)
	for i, left := range result.Stranded {
		require.Contains(b.t, left.Resource, want.stranded[i])
		require.NotEmpty(b.t, left.State)
		require.NotEmpty(b.t, left.WhatToDo)
	}
}

func (b *bench) requireNothingOfOurs(want after) {
	b.t.Helper()
	b.eachRegion(func(region *world.Region) {
		for _, group := range region.ScalingGroups() {
			key := groupKey(group)
			require.Equal(b.t, b.photo.groups[key].suspended, slices.Sorted(maps.Keys(group.Suspended)), "%s: suspended processes", key)
			for _, tag := range group.Tags {
				if tag.Key == names.TagJournal {
					require.Contains(b.t, want.foreignMarks, group.Name, "%s: our mark is still on: %s", key, tag.Value)
				}
			}
			for _, member := range group.Members() {
				require.NotContains(b.t, []world.Lifecycle{world.LifecycleStandby, world.LifecycleEnteringStandby}, member.State,
					"%s: %s is out of service", key, member.Instance.ID)
			}
		}
		for _, instance := range region.Instances() {
			if instance.State == world.Terminated || instance.State == world.ShuttingDown {
				continue
			}
			if mark := instance.Tags[names.TagJournal]; mark != "" {
				require.Contains(b.t, want.foreignMarks, instance.ID, "%s: our mark is still on: %s", instance.ID, mark)
			}
		}
		for _, command := range region.Commands() {
			// A health probe may still be answered when its bake is over; an install may not.
			if slices.Contains(command.Parameters["Operation"], "Install") {
				require.True(b.t, command.Done(), "%s: the install %s still runs", region, command.ID)
			}
		}
	})
}

func (b *bench) requireSameFleet(want after) {
	b.t.Helper()
	now := b.photograph()
	newcomers := 0
	for key, was := range b.photo.groups {
		is, there := now.groups[key]
		if slices.Contains(want.deleted, key) {
			require.False(b.t, there, "%s should be deleted", key)
			continue
		}
		require.True(b.t, there, "%s is gone", key)
		require.Equal(b.t, []int{was.min, was.max, was.desired}, []int{is.min, is.max, is.desired}, "%s: min, max, desired", key)
		require.Len(b.t, is.members, is.desired, "%s: members %v", key, is.members)
		for _, id := range is.members {
			if !slices.Contains(was.members, id) {
				newcomers++
			}
		}
		for _, id := range was.members {
			require.True(b.t, slices.Contains(is.members, id) != slices.Contains(want.out, id), "%s: %s; members %v", key, id, is.members)
		}
	}
	require.Equal(b.t, want.newcomers, newcomers, "new members")
	for group, was := range b.photo.targets {
		for _, target := range was {
			id, _, _ := strings.Cut(target, ":")
			registered := slices.Contains(now.targets[group], target)
			require.True(b.t, registered != slices.Contains(want.out, id), "%s in %s: registered %t", target, group, registered)
		}
	}
}
