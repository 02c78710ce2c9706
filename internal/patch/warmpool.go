package patch

import (
	"fmt"
	"slices"
)

// WarmPoolRunning is the state of a warm pool whose instances run while they wait.
const WarmPoolRunning = "Running"

// Untouched tells, for people, of what belongs to a group and is not patched with it: what carries its tags and is no
// member, who is stopped, and what waits in its warm pool.
func (s GroupState) Untouched() []string {
	notes := slices.Clone(s.Hidden)
	for _, member := range s.Members {
		if member.Rests() && member.LeftOut == "" {
			notes = append(notes, member.ToldAtRest())
		}
	}
	notes = append(notes, ToldLeftOut(s.LeftOut())...)
	if s.WarmPoolState != "" {
		notes = append(notes, "what waits in its warm pool is not patched, and serves as it was "+
			"prepared: renew the pool by an instance refresh, or delete it and put it again, once its image has the patches")
	}
	return notes
}

// checkWarmPool refuses a surge that would come from a warm pool of running instances: they were launched before it, so
// that the one that comes could not be told from one that somebody attaches.
func (s GroupState) checkWarmPool(group Group, strategy Strategy) *Refusal {
	if strategy.Mode != CapacitySurge || s.WarmPoolState != WarmPoolRunning {
		return nil
	}
	return &Refusal{
		Code: RefusedCapacity, Where: group.String(),
		What: fmt.Sprintf("its warm pool keeps instances %s, and room would be made by one of them: it could not be told "+
			"from one that somebody attaches", s.WarmPoolState),
		WhatToDo: "use capacity: decrement with min below desired, or a warm pool of stopped instances",
	}
}
