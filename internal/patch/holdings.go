package patch

import "slices"

// Holdings is what a wave itself holds of a group at the moment: instances that it took out of service and did not
// return, and what it launched for them.
type Holdings struct {
	Out   []string // ids; each counts as long as the state read shows it so, see Out
	Surge int      // how many more it launched, and has not given back
	// Lately are those of Out that went out so lately that AWS's lists may not show it yet: see GroupState.Showing.
	Lately []string
	// From counts those of Out by the ARNs of the target groups that they were registered with when the group was read
	// first: others still count on them there.
	From map[string]int
	// Idle are instances that were stopped when they were taken, and are stopped again: they serve nobody, so that neither
	// their start nor their stop takes anything away. One that somebody has registered meanwhile counts like any other.
	Idle []string
}

// idle reports whether the member takes no part in the group's work, whatever its state is.
func (h Holdings) idle(group Group, member Member) bool {
	return !group.IsAutoScaling() && len(member.Targets) == 0 && slices.Contains(h.Idle, member.ID)
}

// Showing is the group as AWS's lists will show it once they show who went out lately: such a one is no longer in
// service, and standby has taken desired down by it. Where they show it already nothing is changed.
func (g GroupState) Showing(group Group, holdings Holdings) GroupState {
	g.Members = slices.Clone(g.Members)
	for i, member := range g.Members {
		if !slices.Contains(holdings.Lately, member.ID) {
			continue
		}
		if group.IsAutoScaling() && member.Lifecycle == LifecycleInService {
			g.Members[i].Lifecycle = LifecycleEnteringStandby
			g.Desired -= g.WeightOf(member.ID)
		}
		g.Members[i].Targets = slices.Clone(member.Targets)
		for k, target := range member.Targets {
			if target.Health == TargetHealthy {
				g.Members[i].Targets[k].Health = TargetDraining
			}
		}
	}
	return g
}

// OutOfService tells of each instance of a group whether it serves, and if not, why not. An id is in one of the lists
// only.
type OutOfService struct {
	Serving []string // members that take part in the group's work
	Ours    []string // members that the wave took out and that nobody returned since
	// Ill are members that do not serve for another reason: ill, launching, stopped, taken out by others; and of those
	// chosen by tags the ones that are registered in fewer target groups than most, as somebody took them out there.
	Ill []string
	// Missed are members that somebody else put on standby with decrement: nothing serves in their place.
	Missed []string
	// Gone are those that the wave took out, that the group does not list any more and in whose place nothing is
	// launched: one quarantined of those chosen by tags. In an Auto Scaling group another is launched, or desired is
	// one less.
	Gone []string
}

// Out counts who is out of service; who is idle is in none of the lists. Every decision about room asks it, for the
// group and for each of its target groups, so that no two of them can differ about what was quarantined, or returned by
// somebody.
func Out(group Group, state GroupState, holdings Holdings) OutOfService {
	var out OutOfService
	var away []Member
	usual := usualRegistrations(group, state)
	for _, member := range state.Members {
		switch {
		case holdings.idle(group, member):
		case holdings.holds(group, member):
			out.Ours = append(out.Ours, member.ID)
		case member.Serving(group.IsAutoScaling()) && member.registrations() >= usual:
			out.Serving = append(out.Serving, member.ID)
		case member.StandbyFrom > 0:
			away = append(away, member)
		default:
			out.Ill = append(out.Ill, member.ID)
		}
	}
	wanted := out.Wanted(state, holdings)
	for _, member := range away {
		// The desired before may have been smaller by one that we had out then: only where others have raised it beyond
		// that is another known to serve in the place of this one.
		if member.StandbyFrom >= wanted {
			out.Missed = append(out.Missed, member.ID)
		} else {
			out.Ill = append(out.Ill, member.ID)
		}
	}
	for _, id := range holdings.Out {
		if _, listed := state.Member(id); !listed && !group.IsAutoScaling() {
			out.Gone = append(out.Gone, id)
		}
	}
	return out
}

// usualRegistrations is in how many target groups most of a group's members are registered, of two answers the larger.
// Auto Scaling registers its own, so that 0 is asked of them.
func usualRegistrations(group Group, state GroupState) int {
	if group.IsAutoScaling() {
		return 0
	}
	times, usual := map[int]int{}, 0
	for _, member := range state.Members {
		if !member.Present() {
			continue
		}
		n := member.registrations()
		times[n]++
		if times[n] > times[usual] || times[n] == times[usual] && n > usual {
			usual = n
		}
	}
	return usual
}

// registrations counts the target groups that the member is registered in.
func (m Member) registrations() int {
	var arns []string
	for _, target := range m.Targets {
		if !slices.Contains(arns, target.TargetGroupARN) {
			arns = append(arns, target.TargetGroupARN)
		}
	}
	return len(arns)
}

// Wanted is how much should serve in an Auto Scaling group, and in each target group that it registers with, in what
// the group counts: standby took desired down by ours and by those who are missed, surge took it up by as many as were
// launched.
func (o OutOfService) Wanted(state GroupState, holdings Holdings) int {
	return state.Desired + state.Units(o.Ours) + state.Units(o.Missed) - holdings.Surge
}

// Away is how many instances of an Auto Scaling group are out of service, where these serve of it or of one of its
// target groups. One more than desired that serves takes one off.
func (o OutOfService) Away(state GroupState, holdings Holdings, serving []string) int {
	if state.Counts == CountsInstances {
		return o.Wanted(state, holdings) - len(serving)
	}
	return len(o.Ours) + len(o.Missed) + state.lacks(serving)
}

// Most is how many of an Auto Scaling group may be out of service at once, where so many are.
func (o OutOfService) Most(share Share, serving []string, away int) int {
	return share.AtLeastOne(len(serving) + away)
}

// holds reports whether the member is out of service because of us. One that somebody returned since is not: in its
// group it is no longer on standby, and of those chosen by tags it serves its targets again.
func (h Holdings) holds(group Group, member Member) bool {
	if !slices.Contains(h.Out, member.ID) {
		return false
	}
	if group.IsAutoScaling() {
		return member.Lifecycle == LifecycleStandby || member.Lifecycle == LifecycleEnteringStandby
	}
	return member.Present() && (len(member.Targets) == 0 || !member.Serving(false))
}
