package patch

import "fmt"

// Strategy is how a group makes room for instances to go out of service.
type Strategy struct {
	Mode     CapacityMode `json:"mode"`      // decrement or surge; "" for instances chosen by tags
	AtOnce   int          `json:"at_once"`   // how many are patched at once, and by surge launched first
	RaiseMax int          `json:"raise_max"` // surge needs max raised by so many first; 0: it does not
}

// Launches is how many more instances are launched first.
func (s Strategy) Launches() int {
	if s.Mode != CapacitySurge {
		return 0
	}
	return max(s.AtOnce, 1)
}

// surgeBy is room for so many by launching as many.
func surgeBy(instances int, state GroupState) Strategy {
	instances = max(instances, 1)
	return Strategy{Mode: CapacitySurge, AtOnce: instances, RaiseMax: max(state.Desired+instances-state.Max, 0)}
}

// SurgeOfOne is room for one by launching one more.
func SurgeOfOne(state GroupState) Strategy { return surgeBy(1, state) }

// For is the strategy where no more than so many are left to be patched: for nobody is one more launched.
func (s Strategy) For(instances int, state GroupState) Strategy {
	if s.Mode == CapacitySurge && instances < s.AtOnce {
		return surgeBy(instances, state)
	}
	return s
}

// PlanCapacity decides before a group starts how room is made in it, or refuses with the first reason that the group as
// a whole gives. Room is looked at again before each instance.
func PlanCapacity(group Group, state GroupState, stage Stage) (Strategy, *Refusal) {
	view := View{Group: group, Policy: PolicyOf(Plan{}, stage), State: &state}
	if refusal := firstOf(LevelGroup, view, capacityCodes...); refusal != nil {
		return Strategy{}, refusal
	}
	strategy, _ := strategyFor(group, state, stage)
	return strategy, nil
}

// capacityCodes are what a group as a whole may refuse whatever its plan says of windows, bakes and restoring.
var capacityCodes = []RefusalCode{
	RefusedNoInstances, RefusedGroupMember, RefusedDeletion, RefusedWeighted, RefusedOperated, RefusedRefreshRunning,
	RefusedTagSlot, RefusedProcessSuspended, RefusedUnknownState, RefusedCapacity,
}

// strategyFor chooses how room is made by the group's numbers: the least harmful way that fits. Taking desired down by
// as many as are out, or by as many as min allows, launches nothing; where it allows none, as many are launched as are
// out. Instances chosen by tags need no room.
func strategyFor(group Group, state GroupState, stage Stage) (Strategy, *Refusal) {
	if !group.IsAutoScaling() {
		out := Out(group, state, Holdings{Idle: state.starting()})
		share := stage.MaxUnavailable.AtLeastOne(len(state.Members))
		return Strategy{AtOnce: max(share-len(out.Ill)-len(out.Missed), 1)}, nil
	}
	if state.Counts != CountsInstances {
		return weightedStrategy(group, state, stage)
	}
	out := Out(group, state, Holdings{})
	missed := len(out.Missed)
	share := stage.MaxUnavailable.AtLeastOne(state.Desired + missed)
	spare := min(share, state.Desired-state.Min)
	// Those that are out by themselves are out of the share as well. With one at the least, its own turn decides.
	beside := max(min(spare, share-missed-len(out.Ill)), 1)
	switch stage.Capacity {
	case CapacityDecrement:
		if spare < 1 {
			return Strategy{}, &Refusal{
				Code: RefusedCapacity, Where: group.String(),
				What:     fmt.Sprintf("desired %d - 1 would fall below min %d", state.Desired, state.Min),
				WhatToDo: "use capacity: auto or surge, or lower the group's min",
			}
		}
		return Strategy{Mode: CapacityDecrement, AtOnce: beside}, nil
	case CapacitySurge:
	default:
		// Where somebody else has an instance on standby there is room only beside the others.
		if missed < spare {
			return Strategy{Mode: CapacityDecrement, AtOnce: beside}, nil
		}
	}
	surge := surgeBy(min(share-missed-len(out.Ill), len(state.Members)), state)
	if refusal := state.checkWarmPool(group, surge); refusal != nil {
		return Strategy{}, refusal
	}
	return surge, nil
}
