package patch

import (
	"fmt"
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
	Locked     bool                  // another wave works on it, and has instances out
	Problems   []Blocker
	// Held is what one of its instances has now of what it misses; nil: none was asked, or HeldWhy says why that is not
	// known.
	Held    *Held
	HeldWhy string
	// Next is what it launches next, of an Auto Scaling group; nil: it could not be read, and NextWhy says why.
	Next    *NextImage
	NextWhy string
	// Launch is what it launches from, where its image is to be renewed; nil: it could not be read, and LaunchWhy says
	// why.
	Launch    *Launch
	LaunchWhy string
	Owed      string // why an earlier wave did not renew its image, of one with nothing due; "": none owes that
}

// exposed is the reading with how exposed each instance is, where that says who is taken first.
func (r GroupReading) exposed(by Order) GroupReading {
	if by != OrderExposure || r.State == nil {
		return r
	}
	known := map[string]*Exposure{}
	for _, member := range r.State.Members {
		if state, found := r.Known[member.ID]; found {
			known[member.ID] = ExposureOf(state.Missing, state.At)
		}
	}
	state := r.State.Exposed(known)
	r.State = &state
	return r
}

// ofWhoeverWorks are the refusals that another wave's work leads to: nobody is to mend what it has out.
var ofWhoeverWorks = []RefusalCode{RefusedNotInService, RefusedUnhealthyBefore, RefusedCapacity, RefusedLastInZone}

// blockersOf lists everything that the table of checks refuses of a group, before it begins and for each instance as if
// its turn had come. What was asked of the group is not asked again of each.
func (r GroupReading) blockersOf(plan Plan, stage Stage) []Blocker {
	found := slices.Clone(r.Problems)
	if r.State == nil || ReachOf(*r.State, stage.Order).Nobody() {
		return found
	}
	view := View{Group: r.Group, Policy: PolicyOf(plan.Of(r.Group), stage), State: r.State, Around: r.Around}
	// When each would begin is in the preview's times, and so is what would be too late.
	view.Policy.Window, view.Policy.Blackouts = nil, nil
	another := func(refusal *Refusal) bool { return r.Locked && slices.Contains(ofWhoeverWorks, refusal.Code) }
	for _, refusal := range slices.DeleteFunc(Refusals(LevelGroup, view), another) {
		found = joinBlocker(found, r.Group, refusal)
	}
	if strategy, _ := strategyFor(r.Group, *r.State, stage); strategy.Mode == CapacitySurge {
		state := surged(*r.State, strategy.Launches())
		view.State, view.Holdings.Surge = &state, strategy.Launches()
	}
	for _, member := range r.State.Ordered(stage.Order) {
		view.Instance = member.ID
		if refusal := RefuseBlocked(place(r.Group, member.ID), r.Known[member.ID].Blocked); refusal != nil {
			found = joinBlocker(found, r.Group, refusal)
		}
		for _, check := range checks {
			if check.LeftOut[LevelGroup] == "" {
				continue
			}
			for _, refusal := range slices.DeleteFunc(check.ask(LevelInstance, view), another) {
				found = joinBlocker(found, r.Group, refusal)
			}
		}
	}
	return found
}

// NothingDue reports whether no instance of the group is known to lack anything, of a group that was read.
func (r GroupReading) NothingDue(plan Plan, stage Stage) bool {
	return r.State != nil && !due(r.preview(plan, stage).Instances)
}

// mostHeld is of how many packages a machine's versions are told.
const mostHeld = 200

// Ask is who is asked which versions it has, and of what: the first of the group that is known to miss a package; ""
// where none is.
func (r GroupReading) Ask(plan Plan, stage Stage) (instance string, packages []string) {
	if r.State == nil || plan.Of(r.Group).Platform == Windows {
		return "", nil
	}
	for _, one := range r.preview(plan, stage).Instances {
		for _, missing := range one.Missing {
			packages = append(packages, missing.ID)
		}
		if len(packages) > 0 {
			return one.ID, packages[:min(len(packages), mostHeld)]
		}
	}
	return "", nil
}

// due reports whether anything would be done to one of them.
func due(instances []PreviewInstance) bool {
	return slices.ContainsFunc(instances, func(one PreviewInstance) bool { return one.Does != WouldNothing })
}

// leftOut says what is blocked and left out, and on how many instances that would miss it.
func (r GroupReading) leftOut() (notes []string) {
	if r.State == nil {
		return nil
	}
	counts := map[string]int{}
	var all []string
	for _, member := range r.State.Members {
		for _, blocked := range r.Known[member.ID].LeftOut {
			if counts[blocked]++; counts[blocked] == 1 {
				all = append(all, blocked)
			}
		}
	}
	for _, blocked := range all {
		notes = append(notes, fmt.Sprintf("left out on %s: %s", machines(counts[blocked]), blocked))
	}
	return notes
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

// surged is the group as it would be with the instances that make room: healthy wherever Auto Scaling registers them.
func surged(state GroupState, launches int) GroupState {
	extra := Member{ID: "surge", State: "running", StatusOK: true, Lifecycle: LifecycleInService, Health: "Healthy"}
	for _, target := range state.TargetGroups {
		if target.Attached {
			extra.Targets = append(extra.Targets, Target{TargetGroupARN: target.ARN, ID: extra.ID, Health: TargetHealthy})
		}
	}
	state.Members = append(slices.Clone(state.Members), slices.Repeat([]Member{extra}, launches)...)
	state.Desired += launches
	return state
}

// preview is the group without its times.
func (r GroupReading) preview(plan Plan, stage Stage) PreviewGroup {
	shown := PreviewGroup{Group: r.Group.String(), Baseline: r.Group.ToldBaseline(), Instances: []PreviewInstance{}}
	if r.State == nil {
		shown.Refused = "it could not be read"
		return shown
	}
	if r.Group.IsAutoScaling() {
		shown.Numbers = &GroupNumbers{Min: r.State.Min, Max: r.State.Max, Desired: r.State.Desired, Counts: r.State.Counts}
	}
	var refusal *Refusal
	if ReachOf(*r.State, stage.Order).Nobody() {
		return shown // neither marks nor room are made for it
	}
	if shown.Strategy, refusal = PlanCapacity(r.Group, *r.State, stage); refusal != nil {
		shown.Refused = string(refusal.Code) + ": " + refusal.What
	}
	shown.Each, shown.EachFrom = plan.Likely(stage, r.State.TargetGroups)
	shown.Held = r.Held
	for _, member := range r.State.Ordered(stage.Order) {
		shown.Instances = append(shown.Instances, r.instance(plan.RebootOf(stage), member))
	}
	return shown
}

// unchangedSince is since when a machine has run on the root volume that it has. What Systems Manager learnt before is
// of another boot, or of a volume that was put back since.
func (m Member) unchangedSince() time.Time {
	since := m.LaunchTime
	if m.RootSince.After(since) {
		since = m.RootSince
	}
	return since.Truncate(time.Second) // patch states have whole seconds
}

func (r GroupReading) instance(reboot Reboot, member Member) PreviewInstance {
	shown := PreviewInstance{ID: member.ID, Zone: member.Zone, Does: WouldScan, Missing: []MissingPatch{}}
	state, known := r.Known[member.ID]
	if !known {
		return shown
	}
	if since := member.unchangedSince(); state.At.Before(since) {
		shown.Outdated, shown.KnownAt = true, state.At
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
	if len(state.Missing)+len(state.Failed) > 0 || len(state.PendingReboot) > 0 && reboot != RebootNever {
		shown.Does = WouldPatch
		shown.Reboot, shown.RebootIfRequired = reboot == RebootAlways, reboot == RebootIfRequired
	}
	return shown
}
