package patch

import (
	"fmt"
	"slices"
)

// RoomInTargetGroups asks of each target group what MayTakeOut asks of the group: a member in service may be missing from one of
// them, or be unhealthy in it alone. Target groups that Auto Scaling registers with must serve with all of the group; in others
// counts who is registered.
func RoomInTargetGroups(group Group, state GroupState, ours Holdings, stage Stage, id string) *Refusal {
	return first(TargetRoomRefusals(group, state, ours, stage, id))
}

// TargetRoomRefusals is RoomInTargetGroups with every reason to refuse.
func TargetRoomRefusals(group Group, state GroupState, ours Holdings, stage Stage, id string) []*Refusal {
	var found []*Refusal
	member, _ := state.Member(id)
	for _, targetGroup := range state.TargetGroups {
		healthyIn := func(m Member) bool {
			return m.State == "running" && slices.ContainsFunc(m.Targets, func(t Target) bool { return t.TargetGroupARN == targetGroup.ARN && t.Health == TargetHealthy })
		}
		if !healthyIn(member) {
			continue // it takes nothing away there
		}
		healthy, registered := 0, 0
		for _, other := range state.Members {
			if healthyIn(other) {
				healthy++
			}
			if slices.ContainsFunc(other.Targets, func(t Target) bool { return t.TargetGroupARN == targetGroup.ARN && t.Judged() }) {
				registered++
			}
		}
		wanted, least := registered, 0
		if group.IsAutoScaling() && targetGroup.Attached {
			wanted, least = state.Desired+len(ours.Out), state.Min
			if ours.Surge {
				wanted--
			}
		}
		if after := healthy - 1; after < wanted-stage.MaxUnavailable || after < least {
			found = append(found, &Refusal{
				Code: RefusedCapacity, Where: place(group, id),
				What: fmt.Sprintf("%d targets are healthy of %d wanted in %s (min %d): one fewer would break max_unavailable %d",
					healthy, wanted, targetGroup.Name, least, stage.MaxUnavailable),
				WhatToDo: "wait until its targets are healthy again",
			})
		}
	}
	return found
}

// ShareTargets tells whether two groups serve through one target group, and so are one service to those who use it.
func ShareTargets(a, b []string) bool {
	return slices.ContainsFunc(a, func(arn string) bool { return slices.Contains(b, arn) })
}
