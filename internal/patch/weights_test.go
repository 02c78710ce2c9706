package patch_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/patch"
)

// weighing gives the members their weights, in order, and the group's numbers count them.
func weighing(weights ...int) func(*patch.GroupState) {
	return func(s *patch.GroupState) {
		s.Counts = patch.CountsWeights
		for i, weight := range weights {
			s.Members[i].Weight = weight
		}
	}
}

// Two of weight 2 and two of weight 4 are 12.
func TestPlanCapacityInWeights(t *testing.T) {
	for _, c := range []struct {
		name     string
		state    patch.GroupState
		capacity patch.CapacityMode
		most     patch.Share
		atOnce   int
		refused  patch.RefusalCode
		says     string
		does     string
	}{
		{name: "the heaviest fits", state: four(sizes(8, 12, 16), weighing(2, 4, 2, 4)), atOnce: 1},
		{
			name: "the heaviest does not fit, though the lightest does", state: four(sizes(9, 12, 16), weighing(2, 4, 2, 4)),
			refused: patch.RefusedCapacity, says: "desired 12 - 4, which i-02 weighs, would fall below min 9",
			does: "raise desired by 1, or lower min by as much",
		},
		{
			name: "one that is left out is not asked about", atOnce: 1,
			state: four(sizes(10, 12, 16), weighing(2, 4, 2, 2), member(1, func(m *patch.Member) { m.LeftOut = "by name" })),
		},
		{name: "silent: as auto", state: four(sizes(8, 12, 16), weighing(2, 4, 2, 4)), atOnce: 1},
		{
			name: "decrement", capacity: patch.CapacityDecrement, state: four(sizes(8, 12, 16), weighing(2, 4, 2, 4)), atOnce: 1,
		},
		{
			name: "surge", capacity: patch.CapacitySurge, state: four(sizes(8, 12, 16), weighing(2, 4, 2, 4)),
			refused: patch.RefusedWeighted, says: "AWS chooses what it weighs", does: "capacity: auto",
		},
		{
			name: "two of the heaviest fit", most: patch.Instances(2), state: four(sizes(4, 12, 16), weighing(2, 4, 2, 4)),
			atOnce: 2,
		},
		{
			name: "of two only one of the heaviest fits", most: patch.Instances(2), atOnce: 1,
			state: four(sizes(5, 12, 16), weighing(2, 4, 2, 4)),
		},
		{
			name: "half of the instances, and not of the weights", most: patch.Percent(50), atOnce: 2,
			state: four(sizes(0, 12, 16), weighing(2, 4, 2, 4)),
		},
		{
			name: "one that is ill is one of those that may be out", most: patch.Instances(2), atOnce: 1,
			state: four(sizes(4, 12, 16), weighing(2, 4, 2, 4), lifecycle(0, "Pending")),
		},
		{
			name: "AWS tells no weight of one", state: four(sizes(4, 12, 16), weighing(2, 4, 0, 4)),
			refused: patch.RefusedWeighted, says: "AWS tells no weight of i-03", does: "give its instance type a weight",
		},
		{
			name: "one that leaves need not weigh anything", atOnce: 1,
			state: four(sizes(4, 10, 16), weighing(2, 4, 0, 4), lifecycle(2, "Terminating")),
		},
		{
			name: "vCPUs", atOnce: 1, state: four(sizes(8, 12, 16), weighing(2, 4, 2, 4), func(s *patch.GroupState) {
				s.Counts = patch.CountsCPUs
			}),
		},
		{
			name: "memory", atOnce: 1,
			state: four(sizes(8192, 16384, 16384), weighing(4096, 4096, 4096, 4096), func(s *patch.GroupState) {
				s.Counts = patch.CountsMemory
			}),
		},
		{
			name: "what nobody knows", refused: patch.RefusedWeighted, says: "counts capacity in gpu", does: "by its image",
			state: four(weighing(2, 4, 2, 4), func(s *patch.GroupState) { s.Counts = "gpu" }),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, refusal := patch.PlanCapacity(webGroup, c.state, patch.Stage{Capacity: c.capacity, MaxUnavailable: c.most})
			if c.refused != "" {
				requireRefusal(t, refusal, c.refused, webGroup.String())
				require.Contains(t, refusal.What, c.says)
				require.Contains(t, refusal.WhatToDo, c.does)
				return
			}
			require.Nil(t, refusal)
			require.Equal(t, patch.Strategy{Mode: patch.CapacityDecrement, AtOnce: c.atOnce}, got)
		})
	}
}

// Whether i-02, which weighs 4, may go out now.
func TestRoomInWeights(t *testing.T) {
	standby := func(i, from int) func(*patch.GroupState) {
		return member(i, func(m *patch.Member) {
			m.Lifecycle, m.StandbyFrom = patch.LifecycleStandby, from
			m.Targets[0].Health = patch.TargetUnused
		})
	}
	for _, c := range []struct {
		name  string
		state patch.GroupState
		ours  []string
		most  patch.Share
		says  string // "": it may
	}{
		{name: "all serve", state: four(sizes(8, 12, 16), weighing(2, 4, 2, 4))},
		{name: "more serves than is desired", state: four(sizes(7, 11, 16), weighing(2, 4, 2, 4))},
		{
			name: "exactly min is left", state: four(sizes(8, 12, 12), weighing(2, 4, 2, 4)),
		},
		{
			name: "desired would fall below min", state: four(sizes(8, 11, 16), weighing(2, 4, 2, 4)),
			says: "desired 11 - 4, which i-02 weighs, would fall below min 8",
		},
		{
			name: "less than min would serve", state: four(sizes(6, 12, 16), weighing(2, 4, 2, 4), lifecycle(3, "Pending")),
			most: patch.Instances(4), says: "3 healthy, 8 weights of 12 wanted (min 6), and i-02 weighs 4",
		},
		{
			name: "another one of ours is out", ours: []string{"i-01"}, says: "max_unavailable 1",
			state: four(sizes(4, 10, 16), weighing(2, 4, 2, 4), standby(0, 12)),
		},
		{
			name: "another one of ours is out, of two that may", ours: []string{"i-01"}, most: patch.Instances(2),
			state: four(sizes(4, 10, 16), weighing(2, 4, 2, 4), standby(0, 12)),
		},
		{
			name: "another one is launched still", says: "max_unavailable 1",
			state: four(sizes(4, 12, 16), weighing(2, 4, 2, 4), lifecycle(0, "Pending")),
		},
		{
			name: "one is launched beside what is desired", state: four(sizes(4, 10, 16), weighing(2, 4, 2, 4),
				lifecycle(0, "Pending")),
		},
		{
			name: "one is still to be launched", says: "max_unavailable 1",
			state: four(sizes(4, 13, 16), weighing(2, 4, 2, 4)),
		},
		{
			name: "two of the lightest may still be launched", most: patch.Instances(2), says: "max_unavailable 2",
			state: four(sizes(4, 15, 16), weighing(2, 4, 2, 4)),
		},
		{
			name: "somebody has one on standby, and nothing serves instead", says: "somebody has put i-01 on standby",
			state: four(sizes(4, 10, 16), weighing(2, 4, 2, 4), standby(0, 12)),
		},
		{
			name:  "somebody has one on standby, and another serves instead",
			state: four(sizes(4, 10, 16), weighing(2, 4, 2, 4), standby(0, 0)),
		},
		{
			name: "its target group has less than min without it", most: patch.Instances(4),
			says: "3 healthy in web, 8 weights of 12 wanted (min 6)",
			state: four(sizes(6, 12, 16), weighing(2, 4, 2, 4), member(3, func(m *patch.Member) {
				m.Targets = nil
			})),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			most := c.most
			if most == (patch.Share{}) {
				most = patch.Instances(1)
			}
			var found []*patch.Refusal
			for _, refusal := range patch.Refusals(patch.LevelInstance, patch.View{
				Group: webGroup, State: &c.state, Instance: "i-02", Holdings: patch.Holdings{Out: c.ours},
				Policy: patch.Policy{MaxUnavailable: most, Capacity: patch.CapacityAuto},
			}) {
				if refusal.Code == patch.RefusedCapacity || refusal.Code == patch.RefusedWeighted {
					found = append(found, refusal)
				}
			}
			if c.says == "" {
				require.Empty(t, found)
				return
			}
			require.NotEmpty(t, found)
			require.Contains(t, found[0].What, c.says)
		})
	}
}

// What returns from quarantine is refused where nobody knows how much of the group's numbers it is.
func TestNobodyReturnsFromQuarantineInWeights(t *testing.T) {
	state := four(sizes(4, 12, 20), weighing(2, 4, 2, 4))
	_, refusal := patch.PlanRelease(webGroup, state, patch.Stage{}, patch.ReleaseView{ID: "i-09"})
	requireRefusal(t, refusal, patch.RefusedWeighted, webGroup.String())
	require.Contains(t, refusal.WhatToDo, "attach-instances")
}

// Standby that AWS's lists do not show yet has taken desired down by the weight, and a group at its end is short by it.
func TestNumbersInWeights(t *testing.T) {
	state := four(sizes(4, 12, 16), weighing(2, 4, 2, 4))
	shown := state.Showing(webGroup, patch.Holdings{Out: []string{"i-02"}, Lately: []string{"i-02"}})
	require.Equal(t, 8, shown.Desired)
	out := patch.Out(webGroup, shown, patch.Holdings{Out: []string{"i-02"}})
	require.Equal(t, 12, out.Wanted(shown, patch.Holdings{}))
	require.Equal(t, 1, out.Away(shown, patch.Holdings{}, out.Serving))

	require.Empty(t, patch.EndOf(webGroup, "", state, nil).Coming)
	state.Desired = 14
	require.Equal(t, []patch.Gap{{Why: "desired is 14 and its members have 12 weights"}},
		patch.EndOf(webGroup, "", state, nil).Coming)
}

// Whatever a group weighs: where one more may go out, what is left keeps every promise about capacity.
func TestPropertyWeightsLeaveEnough(t *testing.T) {
	allowed := 0
	rapid.Check(t, func(t *rapid.T) {
		state := drawCalm(t)
		if rapid.Bool().Draw(t, "in trouble") {
			state = drawState(t)
		}
		if len(state.Members) == 0 {
			return
		}
		state.Counts = rapid.SampledFrom([]patch.Unit{patch.CountsWeights, patch.CountsCPUs}).Draw(t, "counts")
		for i := range state.TargetGroups {
			state.TargetGroups[i].Attached = true
		}
		state.Desired = -rapid.IntRange(-4, 4).Draw(t, "over desired")
		var ours patch.Holdings
		for i := range state.Members {
			member := &state.Members[i]
			member.Weight = rapid.IntRange(1, 5).Draw(t, "weight")
			switch {
			case member.Lifecycle == "InService" || member.Lifecycle == "Pending":
				state.Desired += member.Weight
			case rapid.Bool().Draw(t, "ours"):
				ours.Out = append(ours.Out, member.ID)
			}
		}
		state.Desired = max(state.Desired, 0)
		state.Min = max(state.Desired-rapid.IntRange(0, 12).Draw(t, "over min"), 0)
		state.Max = state.Desired
		most := rapid.IntRange(1, 3).Draw(t, "max unavailable")
		chosen := rapid.SampledFrom(state.Members).Draw(t, "chosen")
		if patch.First(patch.LevelInstance, patch.View{
			Group: webGroup, State: &state, Holdings: ours, Instance: chosen.ID,
			Policy: patch.PolicyOf(patch.Plan{}, patch.Stage{MaxUnavailable: patch.Instances(most)}),
		}) != nil {
			return
		}
		allowed++
		left, away, units := 0, 1, 0
		for _, m := range state.Members {
			switch {
			case m.Serving(true):
				units += m.Weight
				if m.ID != chosen.ID {
					left += m.Weight
				}
			case m.Lifecycle == "Standby" || m.Lifecycle == "EnteringStandby":
				if slices.Contains(ours.Out, m.ID) {
					away++
				}
			}
		}
		if units < state.Desired { // somebody is ill, launching, or still to be launched
			away++
		}
		require.GreaterOrEqual(t, left, state.Min, "less than min would serve")
		require.GreaterOrEqual(t, state.Desired-chosen.Weight, state.Min, "standby would take desired below min")
		require.LessOrEqual(t, away, most, "more than max_unavailable would be out")
	})
	require.Positive(t, allowed, "nothing was ever allowed, so nothing was looked at")
}

// However many are taken at once: together they are not more than desired is above min.
func TestPropertyTheHeaviestFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := drawState(t)
		state.Counts, state.Desired = patch.CountsWeights, 0
		for i := range state.Members {
			state.Members[i].Weight = rapid.IntRange(1, 5).Draw(t, "weight")
			state.Desired += state.Members[i].Weight
		}
		var weights []int
		for _, member := range state.Ordered("") {
			weights = append(weights, member.Weight)
		}
		state.Min = max(state.Desired-rapid.IntRange(0, 12).Draw(t, "over min"), 0)
		stage := patch.Stage{MaxUnavailable: drawShare(t)}
		strategy, refusal := patch.PlanCapacity(webGroup, state, stage)
		if refusal != nil {
			return
		}
		require.Equal(t, patch.CapacityDecrement, strategy.Mode)
		slices.Sort(weights)
		taken := 0
		for _, weight := range weights[max(len(weights)-strategy.AtOnce, 0):] {
			taken += weight
		}
		require.GreaterOrEqual(t, state.Desired-taken, state.Min)
	})
}
