package patch

import (
	"fmt"
	"slices"
	"strings"
)

// checkStrategy refuses a group whose numbers leave no way to make room as its stage asks.
func checkStrategy(v View) []*Refusal {
	if v.Instance != "" || len(v.State.Members) == 0 {
		return nil
	}
	_, refusal := strategyFor(v.Group, *v.State, v.Policy.StageView())
	return some(refusal)
}

// checkRoom refuses an instance that its group cannot do without. The promise: healthy >= wanted - max_unavailable and
// >= min, where wanted is OutOfService.Wanted. One that does not serve takes nothing away.
func checkRoom(v View) []*Refusal {
	out := Out(v.Group, *v.State, v.Holdings)
	member, _ := v.State.Member(v.Instance)
	serves := member.Serving(v.Group.IsAutoScaling())
	if v.Holdings.idle(v.Group, member) {
		return nil
	}
	if !v.Group.IsAutoScaling() {
		// One that we took out, and that is in no target group, may serve again: nobody can tell. It is no other's
		// absence.
		ill := slices.DeleteFunc(without(out.Ill, v.Instance), v.restsSinceBefore)
		away := slices.Concat(out.Gone, without(out.Ours, v.Instance), ill)
		total := len(v.State.Members) + len(out.Gone) - (len(without(out.Ill, v.Instance)) - len(ill))
		most := v.Policy.MaxUnavailable.AtLeastOne(len(v.State.Members) + len(out.Gone))
		if serves && len(away) >= most {
			return v.refuse(fmt.Sprintf("%d of %d are out of service already, max_unavailable is %d: %s", len(away), total, most,
				v.named(away)), "wait until the others are healthy again"+v.registerThem(ill))
		}
		return nil
	}
	away, weight := out.Away(*v.State, v.Holdings, out.Serving), v.State.WeightOf(v.Instance)
	most := out.Most(v.Policy.MaxUnavailable, out.Serving, away)
	if serves && (away+1 > most || v.State.Units(out.Serving)-weight < v.State.Min) {
		what := v.healthyOf(out, out.Serving, "", most)
		if away := without(slices.Concat(out.Ours, out.Ill), v.Instance); len(away) > 0 {
			what += "; not in service: " + v.named(away)
		}
		if len(out.Missed) > 0 {
			return v.refuse(what+"; somebody has put "+strings.Join(out.Missed, ", ")+" on standby, and nothing serves instead",
				"return it to service, or set capacity: surge")
		}
		return v.refuse(what, "wait until the group is healthy again")
	}
	if v.State.Desired-weight < v.State.Min { // AWS lets none go on standby then, ill or not
		if v.State.Counts != CountsInstances {
			return []*Refusal{v.State.noRoomFor(v.Group.String()+"/"+v.Instance, member)}
		}
		return v.refuse(fmt.Sprintf("desired %d is already min %d", v.State.Desired, v.State.Min),
			"use capacity: auto or surge, or lower min")
	}
	return nil
}

// healthyOf says how much is healthy, in an Auto Scaling group or in a target group of it, and what one fewer would
// break.
func (v View) healthyOf(out OutOfService, healthy []string, in string, most int) string {
	if v.State.Counts == CountsInstances {
		return fmt.Sprintf("%d healthy of %d wanted (min %d): one fewer would break max_unavailable %d", len(healthy),
			out.Wanted(*v.State, v.Holdings), v.State.Min, most)
	}
	return fmt.Sprintf("%d healthy%s, %d %s of %d wanted (min %d), and %s weighs %d: one fewer would break that, or "+
		"max_unavailable %d", len(healthy), in, v.State.Units(healthy), v.State.Counts, out.Wanted(*v.State, v.Holdings),
		v.State.Min, v.Instance, v.State.WeightOf(v.Instance), most)
}

// restsSinceBefore reports a member that was stopped before the group was told to go: it is not out of service because
// of us, and the group has done without it so far. Where EC2 does not tell when, it counts as out.
func (v View) restsSinceBefore(id string) bool {
	member, _ := v.State.Member(id)
	if member.Mark != "" || member.Unbelieved != "" {
		return false // a wave has left it: it is out because of us
	}
	return member.AtRest() && !member.StoppedAt.IsZero() &&
		(v.Policy.Began.IsZero() || member.StoppedAt.Before(v.Policy.Began)) && !slices.Contains(v.Holdings.Out, id)
}

// named names members with why they do not serve, as far as it is told.
func (v View) named(ids []string) string {
	var names []string
	for _, id := range ids[:min(len(ids), namedMost)] {
		member, listed := v.State.Member(id)
		switch {
		case !listed || !member.Present():
			names = append(names, id+": gone")
		case member.State != "running":
			names = append(names, member.is())
		case v.Group.IsAutoScaling() && member.Lifecycle != LifecycleInService:
			names = append(names, id+": "+member.Lifecycle)
		default:
			names = append(names, id+": "+whyIll(member))
		}
	}
	if more := len(ids) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// whyIll is what is seen of a member that runs and does not serve as the others do.
func whyIll(member Member) string {
	for _, target := range member.Targets {
		if target.Judged() && target.Health != TargetHealthy {
			return string(target.Health) + " in a target group"
		}
	}
	if member.Health == "Unhealthy" {
		return "Auto Scaling holds it for unhealthy"
	}
	return "not in service as the others are"
}

// registerThem says what makes members serve again that are well and registered in fewer target groups than most.
func (v View) registerThem(ids []string) string {
	usual := usualRegistrations(v.Group, *v.State)
	fewer := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		member, _ := v.State.Member(id)
		return !member.Serving(false) || member.registrations() >= usual
	})
	if len(fewer) == 0 {
		return ""
	}
	return fmt.Sprintf("; registered in fewer target groups than the others: %s. Register them, or choose instances of "+
		"one role by tags and give the rest a group of their own", strings.Join(fewer, ", "))
}

func without(ids []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(other string) bool { return other == id })
}

// checkTargetRoom asks of each target group what checkRoom asks of the group: a member in service may be missing from
// one of them, or be unhealthy in it alone. Target groups that Auto Scaling registers with must serve with all of the
// group; in others counts who is registered. Of several targets one always stays.
func checkTargetRoom(v View) []*Refusal {
	var found []*Refusal
	out := Out(v.Group, *v.State, v.Holdings)
	member, _ := v.State.Member(v.Instance)
	for _, targetGroup := range v.State.TargetGroups {
		if !member.healthyIn(targetGroup.ARN) {
			continue // it takes nothing away there
		}
		var healthy []string
		registered := 0
		for _, other := range v.State.Members {
			if other.healthyIn(targetGroup.ARN) {
				healthy = append(healthy, other.ID)
			}
			if slices.ContainsFunc(other.Targets, func(t Target) bool {
				return t.TargetGroupARN == targetGroup.ARN && t.Judged()
			}) {
				registered++
			}
		}
		registered += v.Holdings.From[targetGroup.ARN]
		away, least, attached := registered-len(healthy), 0, v.Group.IsAutoScaling() && targetGroup.Attached
		if attached {
			away, least = out.Away(*v.State, v.Holdings, healthy), v.State.Min
		}
		most := out.Most(v.Policy.MaxUnavailable, healthy, away)
		last := registered > 1 && len(healthy) < 2 // the last of several is never taken
		if away+1 <= most && !last && (!attached || v.State.Units(healthy)-v.State.WeightOf(v.Instance) >= least) {
			continue
		}
		if last {
			least = max(least, 1)
		}
		what := fmt.Sprintf("%d targets are healthy of %d wanted in %s (min %d): one fewer would break max_unavailable %d",
			len(healthy), len(healthy)+away, targetGroup.Name, least, most)
		if attached && v.State.Counts != CountsInstances {
			what = v.healthyOf(out, healthy, " in "+targetGroup.Name, most)
		}
		found = append(found, v.refuse(what, "wait until its targets are healthy again")...)
	}
	return found
}

// healthyIn reports whether the member is a healthy target of the target group.
func (m Member) healthyIn(targetGroup string) bool {
	return m.State == "running" && slices.ContainsFunc(m.Targets, func(t Target) bool {
		return t.TargetGroupARN == targetGroup && t.Health == TargetHealthy
	})
}

// checkLastInZone protects the last healthy target of a zone while the load balancer does not balance across zones:
// taking it would send that zone's clients nowhere.
func checkLastInZone(v View) []*Refusal {
	member, _ := v.State.Member(v.Instance)
	for _, target := range member.Targets {
		i := slices.IndexFunc(v.State.TargetGroups, func(tg TargetGroup) bool { return tg.ARN == target.TargetGroupARN })
		if i < 0 || v.State.TargetGroups[i].CrossZone || target.Health != TargetHealthy {
			continue
		}
		others := slices.ContainsFunc(v.State.Members, func(other Member) bool {
			return other.ID != member.ID && other.Zone == member.Zone && slices.ContainsFunc(other.Targets, func(t Target) bool {
				return t.TargetGroupARN == target.TargetGroupARN && t.Health == TargetHealthy
			})
		})
		if !others {
			return v.refuse(fmt.Sprintf("it is the last healthy target of %s in %s and cross-zone balancing is off",
				v.State.TargetGroups[i].Name, member.Zone), "add an instance in that zone, or turn cross-zone balancing on")
		}
	}
	return nil
}

// ShareTargets reports whether two groups serve through one target group, and so are one service to those who use it.
func ShareTargets(a, b []string) bool {
	return slices.ContainsFunc(a, func(arn string) bool { return slices.Contains(b, arn) })
}
