package patch

import "fmt"

// Strategy is how a group makes room for one instance to go out of service.
type Strategy struct {
	Mode     CapacityMode `json:"mode"`      // decrement or surge; "" for instances chosen by tags
	RaiseMax bool         `json:"raise_max"` // surge needs max raised by one first
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

// strategyFor chooses how room is made by the group's numbers. Instances chosen by tags need none.
func strategyFor(group Group, state GroupState, stage Stage) (Strategy, *Refusal) {
	if !group.IsAutoScaling() {
		return Strategy{}, nil
	}
	canDecrement := state.Desired-stage.MaxUnavailable >= state.Min
	switch stage.Capacity {
	case CapacityDecrement:
		if !canDecrement {
			return Strategy{}, &Refusal{
				Code: RefusedCapacity, Where: group.String(),
				What:     fmt.Sprintf("desired %d - %d would fall below min %d", state.Desired, stage.MaxUnavailable, state.Min),
				WhatToDo: "use capacity: auto or surge, or lower the group's min",
			}
		}
		return Strategy{Mode: CapacityDecrement}, nil
	case CapacitySurge:
	default:
		// Where somebody else has an instance on standby there is room only beside the others.
		if canDecrement && len(Out(group, state, Holdings{}).Missed) < stage.MaxUnavailable {
			return Strategy{Mode: CapacityDecrement}, nil
		}
	}
	surge := Strategy{Mode: CapacitySurge, RaiseMax: state.Desired >= state.Max}
	if refusal := state.checkWarmPool(group, surge); refusal != nil {
		return Strategy{}, refusal
	}
	return surge, nil
}
