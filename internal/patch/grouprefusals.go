package patch

import (
	"fmt"
	"slices"
	"strings"
)

// mustRun are the processes without which we take nothing out: an instance could not come back, or its health would not be
// known.
var mustRun = []string{"Launch", "Terminate", "AddToLoadBalancer", "HealthCheck"}

// groupRefusals hold what is true of a whole Auto Scaling group, before it starts and before each instance.
func groupRefusals(group Group, state GroupState) []*Refusal {
	var found []*Refusal
	refuse := func(is bool, code RefusalCode, what, todo string) {
		if is {
			found = append(found, &Refusal{Code: code, Where: group.String(), What: what, WhatToDo: todo})
		}
	}
	refuse(state.Deleting, RefusedDeletion, "the group is being deleted", "remove it from the plan")
	refuse(state.Weighted, RefusedWeighted, "the group counts capacity in weights or units other than instances",
		"Patchtide counts instances; patch this group by replacing its image")
	refuse(state.Operator != "", RefusedOperated, "the group is operated by "+state.Operator, "patch it through that service")
	refuse(state.RefreshRunning, RefusedRefreshRunning, "an instance refresh is running", "wait until it has ended, or cancel it")
	refuse(!state.FreeTags, RefusedTagSlot, "the group has no free tag slot for our journal's pointer", "remove a tag from the group")
	for _, process := range mustRun {
		refuse(slices.Contains(state.Suspended, process), RefusedProcessSuspended, "the process "+process+" is suspended, so nothing could come back safely",
			"find out who suspended it and why, then resume it")
	}
	for _, member := range state.Members {
		refuse(!knownLifecycle(member.Lifecycle), RefusedUnknownState, fmt.Sprintf("%s is in the state %q, which Patchtide does not know", member.ID, member.Lifecycle),
			"wait until it has settled")
	}
	return found
}

func knownLifecycle(state string) bool {
	switch base, _, _ := strings.Cut(state, ":"); base {
	case LifecycleInService, LifecycleStandby, LifecycleEnteringStandby, LifecyclePending,
		"Terminating", "Terminated", "Detaching", "Detached", "Quarantined", "Warmed", "":
		return true
	}
	return false
}
