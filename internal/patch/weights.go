package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Unit is what a group's min, max and desired count.
type Unit string

// The units of AWS. Of what is in none of these nothing is known.
const (
	CountsInstances Unit = ""
	CountsWeights   Unit = "weights"    // of the instance types, in its mixed instances policy
	CountsCPUs      Unit = "vcpu"       // DesiredCapacityType, by the instances' types
	CountsMemory    Unit = "memory-mib" // likewise
)

// WeightOf is how much of its group's numbers a member is: 1 where the group counts instances.
func (s GroupState) WeightOf(id string) int {
	member, _ := s.Member(id)
	return s.weigh(member)
}

func (s GroupState) weigh(member Member) int {
	if s.Counts == CountsInstances {
		return 1
	}
	return max(member.Weight, 1) // that one is told is asked before: see checkWeights
}

// Units is how much of their group's numbers these members are together.
func (s GroupState) Units(ids []string) int {
	units := 0
	for _, id := range ids {
		units += s.WeightOf(id)
	}
	return units
}

// counted reports whether desired counts the member: it is in service, or on its way there.
func (m Member) counted() bool {
	return m.Lifecycle == LifecycleInService || strings.HasPrefix(m.Lifecycle, LifecyclePending)
}

// lacks is how many instances are not among these of what desired wants. AWS fills desired, or goes over it: where
// these have that much the others are none of it. What is still to be launched may be many: each is taken for the
// lightest.
func (s GroupState) lacks(serving []string) int {
	if s.Units(serving) >= s.Desired {
		return 0
	}
	others, units, lightest := 0, 0, 0
	for _, member := range s.Members {
		weight := s.weigh(member)
		if lightest == 0 || weight < lightest {
			lightest = weight
		}
		if !member.counted() {
			continue
		}
		units += weight
		if !slices.Contains(serving, member.ID) {
			others++
		}
	}
	if short := s.Desired - units; short > 0 {
		others += (short + lightest - 1) / max(lightest, 1)
	}
	return max(others, 1)
}

// heaviest orders the members that are to be patched by their weight, the heaviest first.
func (s GroupState) heaviest(by Order) []Member {
	taken := slices.Clone(s.Ordered(by))
	slices.SortStableFunc(taken, func(a, b Member) int { return s.weigh(b) - s.weigh(a) })
	return taken
}

// fitting is how many of the heaviest may go out at once so that desired stays at min or above, at most so many.
func (s GroupState) fitting(by Order, most int) int {
	room, n := s.Desired-s.Min, 0
	for _, member := range s.heaviest(by) {
		room -= s.weigh(member)
		if n == most || room < 0 {
			break
		}
		n++
	}
	return n
}

// weightedStrategy makes room in a group that does not count instances by taking desired down, and only so: how much of
// desired an instance is that AWS would launch for room is up to AWS.
func weightedStrategy(group Group, state GroupState, stage Stage) (Strategy, *Refusal) {
	out := Out(group, state, Holdings{})
	members := 0
	for _, member := range state.Members {
		if member.counted() {
			members++
		}
	}
	missed := len(out.Missed)
	share := stage.MaxUnavailable.AtLeastOne(members + missed)
	fits := state.fitting(stage.Order, share)
	if fits < 1 {
		first := state.heaviest(stage.Order)
		if len(first) == 0 {
			return Strategy{Mode: CapacityDecrement, AtOnce: 1}, nil
		}
		return Strategy{}, state.noRoomFor(group.String(), first[0])
	}
	return Strategy{Mode: CapacityDecrement, AtOnce: max(min(fits, share-missed-len(out.Ill)), 1)}, nil
}

// noRoomFor refuses a group in which a member weighs more than desired is above min.
func (s GroupState) noRoomFor(where string, member Member) *Refusal {
	weight := s.weigh(member)
	short := weight - (s.Desired - s.Min)
	return &Refusal{
		Code: RefusedCapacity, Where: where,
		What: fmt.Sprintf("desired %d - %d, which %s weighs, would fall below min %d; the group counts %s, and none is "+
			"launched for room: AWS chooses what that weighs", s.Desired, weight, member.ID, s.Min, s.Counts),
		WhatToDo: fmt.Sprintf("raise desired by %d, or lower min by as much", short),
	}
}

// checkWeights refuses a group in which nobody can tell how much of its numbers an instance is.
func checkWeights(v View) []*Refusal {
	if !v.Group.IsAutoScaling() || v.State.Counts == CountsInstances {
		return nil
	}
	switch v.State.Counts {
	case CountsWeights, CountsCPUs, CountsMemory:
	default:
		return v.refuseGroup(fmt.Sprintf("the group counts capacity in %s, which Patchtide does not know", v.State.Counts),
			"patch it by its image")
	}
	if v.level == LevelReturn {
		return v.refuseGroup(fmt.Sprintf("the group counts %s, and AWS does not say how much of them an instance is that is "+
			"attached", v.State.Counts),
			"attach it by hand (aws autoscaling attach-instances), or end it: `patchtide quarantine terminate`")
	}
	if v.Policy.Capacity == CapacitySurge && v.level != LevelPutBack {
		return v.refuseGroup(fmt.Sprintf("`capacity: surge` launches one more, and the group counts %s: AWS chooses what it "+
			"weighs", v.State.Counts),
			"use `capacity: auto`, with desired above min by what the heaviest instance weighs")
	}
	for _, member := range v.State.Members {
		if member.Present() && !member.Leaving() && member.Weight < 1 {
			return v.refuseGroup(fmt.Sprintf("the group counts %s, and AWS tells no weight of %s", v.State.Counts, member.ID),
				"give its instance type a weight in the group's mixed instances policy")
		}
	}
	return nil
}
