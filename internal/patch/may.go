package patch

// The functions of this file ask the table of checks for one of its parts each.

// MayTakeOut decides whether one more instance may go out of service now.
func MayTakeOut(group Group, state GroupState, holdings Holdings, stage Stage, id string) *Refusal {
	view := View{Group: group, Policy: PolicyOf(Plan{}, stage), State: &state, Holdings: holdings, Instance: id}
	return First(LevelInstance, view)
}

// RoomInTargetGroups is MayTakeOut for want of room only.
func RoomInTargetGroups(group Group, state GroupState, holdings Holdings, stage Stage, id string) *Refusal {
	view := View{Group: group, Policy: PolicyOf(Plan{}, stage), State: &state, Holdings: holdings, Instance: id}
	return firstOf(LevelInstance, view, RefusedCapacity)
}

// MayRestore refuses an instance whose restore is not proven possible.
func MayRestore(group Group, plan Plan, member Member) *Refusal {
	state := GroupState{Members: []Member{member}}
	view := View{Group: group, Policy: PolicyOf(plan, Stage{}), State: &state, Instance: member.ID}
	return firstOf(LevelInstance, view, RefusedNoRestore)
}

// MayOutlive refuses while Auto Scaling may replace a member for its age within a time.
func MayOutlive(group Group, state GroupState, within Duration) *Refusal {
	refusal := first(View{Group: group, State: &state}.outlived(within))
	if refusal != nil {
		refusal.Code = RefusedLifetime
	}
	return refusal
}

// MayDisturb refuses while somebody else is at work on the group or one of the instances that the surroundings were
// read for.
func MayDisturb(group Group, around Interference) *Refusal {
	return firstOf(LevelWave, View{Group: group, Around: &around},
		RefusedCalendar, RefusedStack, RefusedDeployment, RefusedStopAlarm, RefusedOtherPatcher)
}

// MayUnlock refuses an instance of the surroundings whose root volume could not be made again for want of its key.
func MayUnlock(group Group, restore Restore, around Interference) *Refusal {
	return firstOf(LevelWave, View{Group: group, Policy: Policy{Restore: restore}, Around: &around}, RefusedNoRestore)
}

// MayTrust refuses a machine whose own word tells that its root volume is not all of it, or that it patches itself.
func MayTrust(group Group, restore Restore, instance string, facts MachineFacts) *Refusal {
	return First(LevelInstance, View{
		Group: group, Policy: Policy{Restore: restore}, Instance: instance, Machine: &MachineAnswer{Facts: &facts},
	})
}

// MayJudge refuses a bake in which an alarm that is to judge it would have no time to ring.
func MayJudge(group Group, bake Duration, gates []AlarmObservation) *Refusal {
	view := View{Group: group, Policy: Policy{Bake: bake}, Around: &Interference{GateAlarms: gates}}
	return firstOf(LevelWave, view, RefusedBake)
}

// GateRefusals refuse to begin while an alarm that is to judge does not say OK.
func GateRefusals(group Group, gates []AlarmObservation) []*Refusal {
	refusal := firstOf(LevelGroup, View{Group: group, Around: &Interference{GateAlarms: gates}}, RefusedAlarm)
	return some(refusal)
}

// Estimate is how long one instance of a plan without Estimates is likely to be on its way, from leaving
// service until its bake has ended.
func Estimate(t Timing, bake Duration, groups []TargetGroup) Duration {
	return t.Instance + Draining(groups) + bake + SlowStart(groups)
}
