package wavetest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Except says what a wave may leave different. The zero value: nothing.
type Except struct {
	Stranded       []string // a part of each stranded thing's resource, in order
	Newcomers      int      // members that were not there before, in all groups
	Out            []string // instances that are not registered any more: quarantined, terminated
	Deleted        []string // groups that somebody deleted meanwhile
	MaxUnavailable int      // 0 is 1
	ForeignMarks   []string // resources that carried somebody else's mark before
}

// Settled is how long AWS may take to finish what was begun: a launch, a registration, an activity.
const Settled = time.Hour

// RequireInvariants proves from the simulator what must hold after every wave, however it ended.
func (s *Scene) RequireInvariants(result *patch.WaveResult, want Except) {
	s.T.Helper()
	if want.MaxUnavailable == 0 {
		want.MaxUnavailable = 1
	}
	s.requireStranded(result, want)
	// At the wave's end nothing of ours stays...
	s.RequireNothingOfOurs(want)
	// ...and once AWS has finished what was begun, the fleet is as it was.
	s.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(Settled)) })
	s.RequireNothingOfOurs(want)
	s.requireSameFleet(want)
	for key := range s.Before.Groups {
		account, where, name := splitGroup(key)
		require.LessOrEqual(s.T, s.Sim.MaxOutOfService(s.AccountID(account), where, name), want.MaxUnavailable,
			"%s: out of service at once", key)
	}
	require.LessOrEqual(s.T, s.Sim.MaxOutOfService(Staging, Tokyo, "Role=web"), want.MaxUnavailable,
		"staging: out of service at once")
}

func (s *Scene) requireStranded(result *patch.WaveResult, want Except) {
	s.T.Helper()
	if result == nil {
		require.Empty(s.T, want.Stranded)
		return
	}
	require.Len(s.T, result.Stranded, len(want.Stranded), "%+v", result.Stranded)
	for i, left := range result.Stranded {
		require.Contains(s.T, left.Resource, want.Stranded[i])
		require.NotEmpty(s.T, left.State)
		require.NotEmpty(s.T, left.WhatToDo)
	}
}

// RequireNothingOfOurs proves that no mark, no instance out of service and no install of a wave's is left.
func (s *Scene) RequireNothingOfOurs(want Except) {
	s.T.Helper()
	s.EachRegion(func(region *world.Region) {
		for _, group := range region.ScalingGroups() {
			key := GroupKey(group)
			require.Equal(s.T, s.Before.Groups[key].Suspended, slices.Sorted(maps.Keys(group.Suspended)),
				"%s: suspended processes", key)
			for _, tag := range group.Tags {
				if tag.Key == names.TagJournal {
					require.Contains(s.T, want.ForeignMarks, group.Name, "%s: our mark is still on: %s", key, tag.Value)
				}
			}
			for _, member := range group.Members() {
				require.NotContains(s.T, []world.Lifecycle{world.LifecycleStandby, world.LifecycleEnteringStandby}, member.State,
					"%s: %s is out of service", key, member.Instance.ID)
			}
		}
		for _, instance := range region.Machines() {
			if instance.State == world.Terminated || instance.State == world.ShuttingDown {
				continue
			}
			if mark := instance.Tags[names.TagJournal]; mark != "" {
				require.Contains(s.T, want.ForeignMarks, instance.ID, "%s: our mark is still on: %s", instance.ID, mark)
			}
		}
		for _, command := range region.Commands() {
			// A health probe may still be answered when its bake is over; an install may not.
			if slices.Contains(command.Parameters["Operation"], "Install") {
				require.True(s.T, command.Done(), "%s: the install %s still runs", region, command.ID)
			}
		}
	})
}

func (s *Scene) requireSameFleet(want Except) {
	s.T.Helper()
	now := s.Snapshot()
	newcomers := 0
	for key, was := range s.Before.Groups {
		is, there := now.Groups[key]
		if slices.Contains(want.Deleted, key) {
			require.False(s.T, there, "%s should be deleted", key)
			continue
		}
		require.True(s.T, there, "%s is gone", key)
		require.Equal(s.T, []int{
			was.Min, was.Max, was.Desired,
		}, []int{is.Min, is.Max, is.Desired}, "%s: min, max, desired", key)
		require.Equal(s.T, is.Desired+was.Units-was.Desired, is.Units, "%s: members %v", key, is.Members)
		for _, id := range is.Members {
			if !slices.Contains(was.Members, id) {
				newcomers++
			}
		}
		for _, id := range was.Members {
			require.True(s.T, slices.Contains(is.Members, id) != slices.Contains(want.Out, id), "%s: %s; members %v", key, id,
				is.Members)
		}
	}
	require.Equal(s.T, want.Newcomers, newcomers, "new members")
	for group, was := range s.Before.Targets {
		for _, target := range was {
			id, _, _ := strings.Cut(target, ":")
			registered := slices.Contains(now.Targets[group], target)
			require.True(s.T, registered != slices.Contains(want.Out, id), "%s in %s: registered %t", target, group, registered)
		}
	}
}

// RequireNobodyOut is for fleets that somebody else has changed as well: of ours nothing may be left.
func (s *Scene) RequireNobodyOut() {
	s.T.Helper()
	s.Production(func(g *world.ScalingGroup) {
		for _, member := range g.Members() {
			require.NotContains(s.T, string(member.State), "Standby")
		}
		for _, ours := range []string{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"} {
			require.NotContains(s.T, g.Suspended, ours)
		}
		for _, tag := range g.Tags {
			require.False(s.T, strings.HasPrefix(tag.Key, "patchtide:"), tag.Key)
		}
	})
}

// RequireVersions proves from the machines themselves that each carries what its outcome says.
func (s *Scene) RequireVersions(result *patch.WaveResult) {
	s.T.Helper()
	want := map[string]bool{}
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				want[instance.ID] = instance.WantsRollBack()
			}
		}
	}
	s.EachRegion(func(region *world.Region) {
		for _, instance := range region.Machines() {
			if patched, known := want[instance.ID]; known && instance.State == world.Running {
				// vim is too young to be approved, so a patched machine is behind by one.
				require.Equal(s.T, patched, instance.BehindBy() <= 1, "%s is behind by %d", instance.ID, instance.BehindBy())
			}
		}
	})
}
