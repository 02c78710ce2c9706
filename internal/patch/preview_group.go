package patch

import (
	"slices"
	"strings"
	"time"
)

// GroupReading is what was read of a group for a Preview.
type GroupReading struct {
	Group      Group
	State      *GroupState           // nil: it could not be read, and Problems say why
	Around     *Interference         // nil: likewise
	Known      map[string]PatchState // by instance
	BaselineID string                // the plan's, as Systems Manager has it; "" when it has none yet
	At         time.Time             // AWS's clock, when Known was read
	Problems   []Blocker
}

// blockersOf lists everything that the pure decisions refuse of a group, before it begins and for each instance as if its turn had come.
func (r GroupReading) blockersOf(plan Plan, stage Stage) []Blocker {
	found := slices.Clone(r.Problems)
	if r.State == nil {
		return found
	}
	state := *r.State
	strategy, refusals := CapacityRefusals(r.Group, state, stage)
	each := plan.Budget(stage, state.TargetGroups).OnItsWay()
	refusals = append(refusals, OutliveRefusals(r.Group, state, each*Duration(len(state.Members)))...)
	if r.Around != nil {
		refusals = append(refusals, Disturbances(r.Group, *r.Around)...)
		refusals = append(refusals, UnlockRefusals(r.Group, plan.Restore, *r.Around)...)
		refusals = append(refusals, GateRefusals(r.Group, r.Around.GateAlarms)...)
		refusals = append(refusals, JudgeRefusals(r.Group, stage.Bake, r.Around.GateAlarms)...)
	}
	ours := Holdings{}
	if strategy.Mode == CapacitySurge {
		state, ours.Surge = surged(state), true
	}
	for _, member := range r.State.Order() {
		if refusal := MayRestore(r.Group, plan, member); refusal != nil {
			refusals = append(refusals, refusal)
		}
		refusals = append(refusals, TakeOutRefusals(r.Group, state, ours, stage, member.ID)...)
		refusals = append(refusals, TargetRoomRefusals(r.Group, state, ours, stage, member.ID)...)
	}
	for _, refusal := range refusals {
		found = joinBlocker(found, r.Group, refusal)
	}
	return found
}

// joinBlocker adds a refusal once; what is said of several instances in the same words is one blocker.
func joinBlocker(found []Blocker, group Group, refusal *Refusal) []Blocker {
	instance := strings.TrimPrefix(strings.TrimPrefix(refusal.Where, group.String()), "/")
	at := slices.IndexFunc(found, func(b Blocker) bool {
		return b.Code == string(refusal.Code) && b.Where == group.String() && b.What == refusal.What
	})
	if at < 0 {
		found = append(found, refusal.Blocker())
		at = len(found) - 1
		found[at].Where = group.String()
	}
	if instance != "" && !slices.Contains(found[at].Instances, instance) {
		found[at].Instances = append(found[at].Instances, instance)
	}
	return found
}

// surged is the group as it would be with the instance that makes room: healthy wherever Auto Scaling registers it.
func surged(state GroupState) GroupState {
	extra := Member{ID: "surge", State: "running", StatusOK: true, Lifecycle: LifecycleInService, Health: "Healthy"}
	for _, target := range state.TargetGroups {
		if target.Attached {
			extra.Targets = append(extra.Targets, Target{TargetGroupARN: target.ARN, ID: extra.ID, Health: TargetHealthy})
		}
	}
	state.Members = append(slices.Clone(state.Members), extra)
	state.Desired++
	return state
}

// preview is the group without its times.
func (r GroupReading) preview(plan Plan, stage Stage) PreviewGroup {
	shown := PreviewGroup{Group: r.Group.String(), Instances: []PreviewInstance{}}
	if r.State == nil {
		shown.Refused = "it could not be read"
		return shown
	}
	if r.Group.IsAutoScaling() {
		shown.Numbers = &GroupNumbers{Min: r.State.Min, Max: r.State.Max, Desired: r.State.Desired}
	}
	var refusals []*Refusal
	if shown.Strategy, refusals = CapacityRefusals(r.Group, *r.State, stage); len(refusals) > 0 {
		shown.Refused = string(refusals[0].Code) + ": " + refusals[0].What
	}
	shown.Each, shown.EachFrom = plan.Likely(stage, r.State.TargetGroups)
	for _, member := range r.State.Order() {
		shown.Instances = append(shown.Instances, r.instance(plan, member))
	}
	return shown
}

func (r GroupReading) instance(plan Plan, member Member) PreviewInstance {
	shown := PreviewInstance{ID: member.ID, Zone: member.Zone, Does: WouldScan, Missing: []MissingPatch{}}
	state, known := r.Known[member.ID]
	if !known {
		return shown
	}
	shown.Failed, shown.PendingReboot = state.Failed, state.PendingReboot
	shown.Missing = append(shown.Missing, state.Missing...)
	slices.SortFunc(shown.Missing, func(a, b MissingPatch) int {
		if by := severity(a.Severity) - severity(b.Severity); by != 0 {
			return by
		}
		return strings.Compare(a.ID, b.ID)
	})
	shown.MissingCount, shown.KnownAt = len(state.Missing), state.At
	shown.Age = max(Duration(r.At.Sub(state.At).Round(time.Second)), 0) // those of patch states are rounded, too
	if r.BaselineID == "" || state.BaselineID != r.BaselineID {
		shown.JudgedBy = state.BaselineID
	}
	shown.Does = WouldNothing
	if len(state.Missing)+len(state.Failed)+len(state.PendingReboot) > 0 {
		shown.Does = WouldPatch
		// RebootIfNeeded reboots after any installation, and for what waits for it.
		shown.Reboot = plan.Reboot != RebootNever
	}
	return shown
}

// severity orders the vendors' words, the worst first.
func severity(word string) int {
	order := []string{"critical", "important", "high", "moderate", "medium", "low"}
	if i := slices.Index(order, strings.ToLower(word)); i >= 0 {
		return i
	}
	return len(order)
}
