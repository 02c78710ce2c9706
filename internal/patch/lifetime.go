package patch

import (
	"fmt"
	"time"
)

// MayOutlive refuses while Auto Scaling may replace a member for its age before we are done with the group, which takes about
// within. That is in the plan's time, and lifetimes are in AWS's: a day at least.
func MayOutlive(group Group, state GroupState, within Duration) *Refusal {
	return first(OutliveRefusals(group, state, within))
}

// OutliveRefusals is MayOutlive with every reason to refuse.
func OutliveRefusals(group Group, state GroupState, within Duration) []*Refusal {
	if state.MaxInstanceLifetime <= 0 || state.At.IsZero() {
		return nil
	}
	var found []*Refusal
	for _, member := range state.Members {
		if !member.Present() || member.Leaving() {
			continue
		}
		if ends := member.LaunchTime.Add(state.MaxInstanceLifetime.D()); ends.Before(state.At.Add(within.D())) {
			found = append(found, &Refusal{
				Code: RefusedLifetime, Where: place(group, member.ID),
				What: fmt.Sprintf("its maximum lifetime of %s ends at %s, before we would be done (about %s): Auto Scaling would replace it meanwhile",
					state.MaxInstanceLifetime, ends.Format(time.RFC3339), within),
				WhatToDo: "let the group replace it first, or raise the group's maximum instance lifetime",
			})
		}
	}
	return found
}
