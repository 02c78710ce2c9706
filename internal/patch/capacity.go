package patch

import (
	"fmt"
	"slices"
)

// Strategy is how a group makes room for one instance to go out of service.
type Strategy struct {
	Mode     CapacityMode `json:"mode"`      // decrement or surge; "" for instances chosen by tags
	RaiseMax bool         `json:"raise_max"` // surge needs max raised by one first
}

// PlanCapacity decides before a group starts how room is made in it, or refuses with the reason. It looks at the group as a
// whole; MayTakeOut looks again before each instance.
func PlanCapacity(group Group, state GroupState, stage Stage) (Strategy, *Refusal) {
	strategy, refusals := CapacityRefusals(group, state, stage)
	if refusal := first(refusals); refusal != nil {
		return Strategy{}, refusal
	}
	return strategy, nil
}

// CapacityRefusals is PlanCapacity with every reason to refuse, and how room would be made if there were none.
func CapacityRefusals(group Group, state GroupState, stage Stage) (Strategy, []*Refusal) {
	refusal := func(code RefusalCode, what, todo string) *Refusal {
		return &Refusal{Code: code, Where: group.String(), What: what, WhatToDo: todo}
	}
	if len(state.Members) == 0 {
		return Strategy{}, []*Refusal{refusal(RefusedNoInstances, "no instances matched", "correct the group's name or tags in the plan")}
	}
	if !group.IsAutoScaling() {
		var found []*Refusal
		for _, member := range state.Members {
			if member.OwnerGroup != "" {
				found = append(found, refusal(RefusedGroupMember, fmt.Sprintf("%s belongs to Auto Scaling group %s", member.ID, member.OwnerGroup),
					"name the Auto Scaling group in the plan, or choose tags that its members do not carry"))
			}
		}
		return Strategy{}, found
	}
	found := groupRefusals(group, state)
	strategy, refused := strategyFor(group, state, stage)
	if refused != nil {
		found = append(found, refused)
	}
	return strategy, found
}

// strategyFor chooses how room is made by the group's numbers.
func strategyFor(group Group, state GroupState, stage Stage) (Strategy, *Refusal) {
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
		if canDecrement {
			return Strategy{Mode: CapacityDecrement}, nil
		}
	}
	return Strategy{Mode: CapacitySurge, RaiseMax: state.Desired >= state.Max}, nil
}

// Holdings is what this wave itself holds of a group at the moment: members in standby or deregistered because of us, and one
// instance of surge.
type Holdings struct {
	Out   []string // ids of instances that were taken out; each counts as long as the state read shows it so
	Surge bool
}

// holds tells whether the member is out of service because of us. One that somebody returned since is not: in its group it is
// no longer on standby, and of those chosen by tags it serves its targets again.
func (o Holdings) holds(group Group, member Member) bool {
	if !slices.Contains(o.Out, member.ID) {
		return false
	}
	if group.IsAutoScaling() {
		return member.Lifecycle == LifecycleStandby || member.Lifecycle == LifecycleEnteringStandby
	}
	return member.Present() && (len(member.Targets) == 0 || !member.Serving(false))
}

// unlisted counts those that the group does not show any more. One that was quarantined is no longer listed by its tags, and
// nothing launches another in its place.
func (o Holdings) unlisted(state GroupState) int {
	count := 0
	for _, id := range o.Out {
		if _, listed := state.Member(id); !listed {
			count++
		}
	}
	return count
}

// MayTakeOut decides whether one more instance may go out of service now. It must be asked with a state read just before.
// The promise: healthy >= target - max_unavailable and >= min, where target = desired + ours in standby - surge.
func MayTakeOut(group Group, state GroupState, ours Holdings, stage Stage, id string) *Refusal {
	return first(TakeOutRefusals(group, state, ours, stage, id))
}

// TakeOutRefusals is MayTakeOut with every reason to refuse.
func TakeOutRefusals(group Group, state GroupState, ours Holdings, stage Stage, id string) []*Refusal {
	var found []*Refusal
	refuse := func(is bool, code RefusalCode, what, todo string) {
		if is {
			found = append(found, &Refusal{Code: code, Where: group.String() + "/" + id, What: what, WhatToDo: todo})
		}
	}
	member, listed := state.Member(id)
	if !listed || !member.Present() {
		refuse(true, RefusedNotInService, "the instance is gone", "nothing: its group replaces it")
		return found
	}
	out := false // it takes no part in the group's work, and that is why it does not serve
	if group.IsAutoScaling() {
		found = groupRefusals(group, state)
		out = member.Lifecycle != LifecycleInService
		refuse(out, RefusedNotInService, "it is "+member.Lifecycle, "bring it into service first")
	}
	refuse(!member.AgentOnline, RefusedAgentOffline, "its SSM agent is not online", "check the agent, its instance profile and its route to the SSM endpoints")
	refuse(!out && (!member.Serving(group.IsAutoScaling()) || !member.StatusOK), RefusedUnhealthyBefore, describeUnhealthy(member),
		"mend or replace it first; Patchtide starts only from health")
	refuse(!member.FreeTags, RefusedTagSlot, "the instance has no free tag slot for our journal's pointer", "remove a tag from it")
	for _, refusal := range []*Refusal{noRoom(group, state, ours, stage, id), lastInZone(group, state, member)} {
		if refusal != nil {
			found = append(found, refusal)
		}
	}
	return found
}

// noRoom refuses an instance that the group cannot do without.
func noRoom(group Group, state GroupState, ours Holdings, stage Stage, id string) *Refusal {
	refuse := func(code RefusalCode, what, todo string) *Refusal {
		return &Refusal{Code: code, Where: group.String() + "/" + id, What: what, WhatToDo: todo}
	}
	healthy, held := 0, 0
	for _, other := range state.Members {
		switch {
		case ours.holds(group, other):
			held++
		case other.Serving(group.IsAutoScaling()):
			healthy++
		}
	}
	if group.IsAutoScaling() {
		surge := 0
		if ours.Surge {
			surge = 1
		}
		target := state.Desired + held - surge
		if after := healthy - 1; after < target-stage.MaxUnavailable || after < state.Min {
			return refuse(RefusedCapacity, fmt.Sprintf("%d healthy of %d wanted (min %d): one fewer would break max_unavailable %d", healthy, target, state.Min, stage.MaxUnavailable),
				"wait until the group is healthy again")
		}
		if state.Desired-1 < state.Min {
			return refuse(RefusedCapacity, fmt.Sprintf("desired %d is already min %d", state.Desired, state.Min), "use capacity: auto or surge, or lower min")
		}
	} else if total := len(state.Members) + ours.unlisted(state); total-healthy >= stage.MaxUnavailable {
		return refuse(RefusedCapacity, fmt.Sprintf("%d of %d are out of service already, max_unavailable is %d", total-healthy, total, stage.MaxUnavailable),
			"wait until the others are healthy again")
	}
	return nil
}

// lastInZone protects the last healthy target of a zone while the load balancer does not balance across zones: taking it
// would send that zone's clients nowhere.
func lastInZone(group Group, state GroupState, member Member) *Refusal {
	for _, target := range member.Targets {
		i := slices.IndexFunc(state.TargetGroups, func(tg TargetGroup) bool { return tg.ARN == target.TargetGroupARN })
		if i < 0 || state.TargetGroups[i].CrossZone || target.Health != TargetHealthy {
			continue
		}
		others := slices.ContainsFunc(state.Members, func(other Member) bool {
			return other.ID != member.ID && other.Zone == member.Zone && slices.ContainsFunc(other.Targets, func(t Target) bool {
				return t.TargetGroupARN == target.TargetGroupARN && t.Health == TargetHealthy
			})
		})
		if !others {
			return &Refusal{
				Code: RefusedLastInZone, Where: group.String() + "/" + member.ID,
				What:     fmt.Sprintf("it is the last healthy target of %s in %s and cross-zone balancing is off", state.TargetGroups[i].Name, member.Zone),
				WhatToDo: "add an instance in that zone, or turn cross-zone balancing on",
			}
		}
	}
	return nil
}

func describeUnhealthy(member Member) string {
	for _, target := range member.Targets {
		if target.Judged() && target.Health != TargetHealthy {
			return fmt.Sprintf("it is %s in %s (%s) before we began", target.Health, target.TargetGroupARN, target.Reason)
		}
	}
	if member.Health == "Unhealthy" {
		return "Auto Scaling holds it for unhealthy before we began"
	}
	return fmt.Sprintf("EC2 says %s, status checks passed: %t, before we began", member.State, member.StatusOK)
}

// MayRestore refuses an instance whose restore is not proven possible, when the plan wants its root volume put back.
func MayRestore(group Group, plan Plan, member Member) *Refusal {
	if plan.Restore != RestoreRootVolume {
		return nil
	}
	var reason string
	switch {
	case member.RootVolumeID == "":
		reason = "its root is not an EBS volume"
	case member.ProductCodes:
		reason = "its image comes from the Marketplace, whose root volumes cannot be replaced"
	case member.BareMetal:
		reason = "it is bare metal, whose root volume cannot be replaced"
	default:
		return nil
	}
	return &Refusal{Code: RefusedNoRestore, Where: group.String() + "/" + member.ID, What: reason, WhatToDo: "use restore: replace or none in the plan"}
}
