package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestAnInstanceMayGoOut(t *testing.T) {
	health := func(h patch.TargetHealth) func(*patch.Member) {
		return func(m *patch.Member) { m.Targets[0].Health = h }
	}
	apart := func(s *patch.GroupState) { s.TargetGroups[0].CrossZone = false }
	for _, c := range []struct {
		name    string
		group   patch.Group
		state   patch.GroupState
		ours    patch.Holdings
		most    int    // max_unavailable; 0 is 1
		id      string // "" is i-01
		refused patch.RefusalCode
	}{
		{name: "all is well", state: four()},
		{name: "unknown to the group", state: four(), id: "i-99", refused: patch.RefusedNotInService},
		{
			name: "gone from EC2, still listed", state: four(member(0, func(m *patch.Member) { m.State = "" })),
			refused: patch.RefusedNotInService,
		},
		{
			name:    "terminated, still listed as Standby",
			state:   four(member(0, func(m *patch.Member) { m.State, m.Lifecycle = "terminated", patch.LifecycleStandby })),
			refused: patch.RefusedNotInService,
		},
		{name: "pending", state: four(lifecycle(0, patch.LifecyclePending)), refused: patch.RefusedNotInService},
		{
			name: "in standby by somebody else", state: four(lifecycle(0, patch.LifecycleStandby)),
			refused: patch.RefusedNotInService,
		},
		{
			name: "refresh running", state: four(func(s *patch.GroupState) { s.RefreshRunning = true }),
			refused: patch.RefusedRefreshRunning,
		},
		{name: "Launch suspended", state: four(suspended("Launch")), refused: patch.RefusedProcessSuspended},
		{
			name: "agent offline", state: four(member(0, func(m *patch.Member) { m.AgentOnline = false })),
			refused: patch.RefusedAgentOffline,
		},
		{name: "another's agent offline", state: four(member(1, func(m *patch.Member) { m.AgentOnline = false }))},
		{
			name: "status checks fail", state: four(member(0, func(m *patch.Member) { m.StatusOK = false })),
			refused: patch.RefusedUnhealthyBefore,
		},
		{
			name: "stopped", state: four(member(0, func(m *patch.Member) { m.State = "stopped" })),
			refused: patch.RefusedUnhealthyBefore,
		},
		{
			name:  "Auto Scaling holds it for unhealthy",
			state: four(member(0, func(m *patch.Member) { m.Health = "Unhealthy" })), refused: patch.RefusedUnhealthyBefore,
		},
		{
			name: "unhealthy target", state: four(member(0, health(patch.TargetUnhealthy))),
			refused: patch.RefusedUnhealthyBefore,
		},
		{name: "initial target", state: four(member(0, health(patch.TargetInitial))), refused: patch.RefusedUnhealthyBefore},
		{name: "unused target: not judged", state: four(member(0, health(patch.TargetUnused)))},
		{name: "health checks disabled: not judged", state: four(member(0, health(patch.TargetUnavailable)))},
		{name: "in no target group", state: four(member(0, func(m *patch.Member) { m.Targets = nil }))},
		{
			name: "no tag slot", state: four(member(0, func(m *patch.Member) { m.FreeTags = false })),
			refused: patch.RefusedTagSlot,
		},
		{name: "another is unhealthy", state: four(member(1, health(patch.TargetUnhealthy))), refused: patch.RefusedCapacity},
		{name: "another is unhealthy, two may be out", state: four(member(1, health(patch.TargetUnhealthy))), most: 2},
		{name: "another still launches", state: four(lifecycle(1, patch.LifecyclePending)), refused: patch.RefusedCapacity},
		{
			name: "one of ours is out already", state: four(sizes(2, 3, 6), lifecycle(1, patch.LifecycleStandby)),
			ours: patch.Holdings{Out: []string{"i-02"}}, refused: patch.RefusedCapacity,
		},
		{
			name: "one of ours is out, two may be", state: four(sizes(2, 3, 6), lifecycle(1, patch.LifecycleStandby)),
			ours: patch.Holdings{Out: []string{"i-02"}}, most: 2,
		},
		{name: "one of ours was out and is back", state: four(sizes(2, 4, 6)), ours: patch.Holdings{Out: []string{"i-02"}}},
		{name: "one of ours is no member any more", state: four(sizes(2, 4, 6)), ours: patch.Holdings{Out: []string{"i-77"}}},
		{name: "desired is min", state: four(sizes(4, 4, 6)), refused: patch.RefusedCapacity},
		{
			name: "surge: five healthy, desired five, min four", ours: patch.Holdings{Surge: 1},
			state: four(sizes(4, 5, 5), func(s *patch.GroupState) { s.Members = append(s.Members, well(5, "a")) }),
		},
		{
			name: "surge: the fifth is not healthy yet", ours: patch.Holdings{Surge: 1}, refused: patch.RefusedCapacity,
			state: four(sizes(4, 5, 5), func(s *patch.GroupState) {
				s.Members = append(s.Members, well(5, "a"))
				health(patch.TargetInitial)(&s.Members[4])
			}),
		},
		{
			name: "the group has just scaled out: the new ones launch", state: four(sizes(2, 6, 6)),
			refused: patch.RefusedCapacity,
		},
		{
			name:  "the group scaled in to three",
			state: four(sizes(2, 3, 6), func(s *patch.GroupState) { s.Members = s.Members[:3] }),
		},
		{name: "cross-zone off, another in the zone", state: four(apart)},
		{
			name: "cross-zone off, the other in the zone is out", state: four(apart, member(2, health(patch.TargetUnhealthy))),
			most: 2, refused: patch.RefusedLastInZone,
		},
		{
			name:    "cross-zone off, the zone has one",
			state:   four(apart, sizes(1, 3, 6), func(s *patch.GroupState) { s.Members = append(s.Members[:2], s.Members[3]) }),
			refused: patch.RefusedLastInZone,
		},
		{
			name:  "cross-zone on, the zone has one",
			state: four(sizes(1, 3, 6), func(s *patch.GroupState) { s.Members = append(s.Members[:2], s.Members[3]) }),
		},
		{
			name: "cross-zone off, the other in the zone serves another target group", refused: patch.RefusedLastInZone,
			state: four(apart, member(2, func(m *patch.Member) { m.Targets[0].TargetGroupARN += "-other" })),
		},
		{name: "tags: all is well", group: tagsGroup, state: four(untracked)},
		{
			name: "tags: lifecycle does not matter", group: tagsGroup,
			state: four(untracked, member(1, func(m *patch.Member) { m.Health = "Unhealthy" })),
		},
		{
			name: "tags: one is out already", group: tagsGroup,
			state: four(untracked, member(1, func(m *patch.Member) { m.Targets = nil })),
			ours:  patch.Holdings{Out: []string{"i-02"}}, refused: patch.RefusedCapacity,
		},
		{
			name: "tags: one is in quarantine and not listed any more", group: tagsGroup, state: four(untracked),
			ours: patch.Holdings{Out: []string{"i-77"}}, refused: patch.RefusedCapacity,
		},
		{
			name: "tags: one is in quarantine, two may be out", group: tagsGroup, state: four(untracked),
			ours: patch.Holdings{Out: []string{"i-77"}}, most: 2,
		},
		{
			name: "tags: one was out and somebody returned it", group: tagsGroup, state: four(untracked),
			ours: patch.Holdings{Out: []string{"i-02"}},
		},
		{
			name: "tags: one is out and one is ill, two may be", group: tagsGroup, most: 2,
			ours: patch.Holdings{Out: []string{"i-02"}}, refused: patch.RefusedCapacity,
			state: four(
				untracked, member(1, func(m *patch.Member) { m.Targets = nil }), member(2, health(patch.TargetUnhealthy)),
			),
		},
		{
			name: "tags: another is unhealthy", group: tagsGroup,
			state: four(untracked, member(1, health(patch.TargetUnhealthy))), refused: patch.RefusedCapacity,
		},
		{
			name: "tags: somebody deregistered another by hand", group: tagsGroup, refused: patch.RefusedCapacity,
			state: four(untracked, member(1, func(m *patch.Member) { m.Targets = nil })),
		},
		{
			name: "tags: of two one was deregistered by hand: the other serves alone", group: tagsGroup,
			refused: patch.RefusedCapacity,
			state: four(untracked, func(s *patch.GroupState) {
				s.Members = s.Members[:2]
				s.Members[1].Targets = nil
			}),
		},
		{
			name: "tags: two, and two may be out: the last healthy target of several stays", group: tagsGroup, most: 2,
			refused: patch.RefusedCapacity,
			state: four(untracked, member(1, health(patch.TargetUnhealthy)), func(s *patch.GroupState) {
				s.Members = s.Members[:2]
			}),
		},
		{
			name: "tags: each serves in a target group of its own", group: tagsGroup,
			state: four(untracked, func(s *patch.GroupState) {
				s.Members = s.Members[:2]
				s.Members[1].Targets[0].TargetGroupARN += "-other"
			}),
		},
		{
			name: "tags: the only one", group: tagsGroup,
			state: four(untracked, func(s *patch.GroupState) { s.Members = s.Members[:1] }),
		},
		{
			name: "tags: last of its zone, cross-zone off", group: tagsGroup,
			state:   four(untracked, apart, func(s *patch.GroupState) { s.Members = s.Members[:1] }),
			refused: patch.RefusedLastInZone,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			group, id := c.group, c.id
			if group.Region == "" {
				group = webGroup
			}
			if id == "" {
				id = "i-01"
			}
			refusal := patch.First(patch.LevelInstance, patch.View{
				Group: group, Policy: patch.Policy{MaxUnavailable: patch.Instances(max(c.most, 1))},
				State: &c.state, Holdings: c.ours, Instance: id,
			})
			if c.refused == "" {
				require.Nil(t, refusal)
				return
			}
			requireRefusal(t, refusal, c.refused, group.String())
		})
	}
}

// untracked makes members that no Auto Scaling group has.
func untracked(s *patch.GroupState) {
	s.Min, s.Max, s.Desired = 0, 0, 0
	for i := range s.Members {
		s.Members[i].Lifecycle, s.Members[i].Health = "", ""
	}
}
