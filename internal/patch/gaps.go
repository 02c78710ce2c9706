package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Gap is a member of a group, as it is at the wave's end, that has not got what was due though nobody decided so.
type Gap struct {
	Instance string `json:"instance,omitempty"` // "": the group as a whole
	Why      string `json:"why"`
}

// Ending is a group as it is now that each of its instances was tried.
type Ending struct {
	Joined []string // members that nobody has tried and that can be patched now, in the order in which they are taken
	Coming []Gap    // on their way into service, or still to be launched: they may join
	Gaps   []Gap    // members for which nothing will be done
	// LeftOut are members for which nothing was to be done: see Group.LeavesOut.
	LeftOut []Gap
}

// EndOf compares a group's members with what its instances came to.
func EndOf(group Group, by Order, state GroupState, instances []InstanceResult) Ending {
	var end Ending
	members := 0
	for _, left := range state.LeftOut() {
		member, _ := state.Member(left.Instance)
		if member.Lifecycle != LifecycleStandby && member.Lifecycle != LifecycleEnteringStandby {
			members += state.weigh(member)
		}
		if !slices.ContainsFunc(instances, func(r InstanceResult) bool { return r.ID == left.Instance }) {
			end.LeftOut = append(end.LeftOut, left)
		}
	}
	for _, member := range state.Members {
		tried := slices.ContainsFunc(instances, func(r InstanceResult) bool {
			return r.ID == member.ID && r.Outcome != Gone && r.Outcome != NotStarted
		})
		if member.Rests() && !tried && member.LeftOut == "" {
			end.Gaps = append(end.Gaps, Gap{member.ID, strings.TrimSuffix(
				"it is "+member.State+", and was left so: "+member.NotStarted, ": ")})
		}
	}
	for _, member := range state.Ordered(by) {
		standby := member.Lifecycle == LifecycleStandby || member.Lifecycle == LifecycleEnteringStandby
		if !standby {
			members += state.weigh(member)
		}
		at := slices.IndexFunc(instances, func(r InstanceResult) bool { return r.ID == member.ID })
		switch {
		case at >= 0 && instances[at].Outcome == Gone:
			end.Gaps = append(end.Gaps, Gap{member.ID, "it was taken for gone, and is a member that is " + member.State})
		case at >= 0:
		case standby:
			end.Gaps = append(end.Gaps, Gap{member.ID, "it joined meanwhile, and somebody has it on standby"})
		case group.IsAutoScaling() && member.Lifecycle != LifecycleInService:
			still := "it joined meanwhile, and is still " + ToldLifecycle(group, member.Lifecycle)
			end.Coming = append(end.Coming, Gap{member.ID, still})
		case member.Starts:
			end.Joined = append(end.Joined, member.ID)
		case member.State != "running":
			end.Coming = append(end.Coming, Gap{member.ID, "it joined meanwhile, and is " + member.State})
		case !member.AgentOnline:
			end.Coming = append(end.Coming, Gap{member.ID, "it joined meanwhile, and its SSM agent is not online"})
		case !member.Serving(group.IsAutoScaling()):
			end.Coming = append(end.Coming, Gap{member.ID, "it joined meanwhile, and does not serve yet"})
		default:
			end.Joined = append(end.Joined, member.ID)
		}
	}
	if why := state.warmPoolGap(); why != "" && group.Only.Empty() { // a wave of some was asked for no more than them
		end.Gaps = append(end.Gaps, Gap{"", why})
	}
	if group.IsAutoScaling() && members < state.Desired {
		has := fmt.Sprintf("it has %d members", members)
		if state.Counts != CountsInstances {
			has = fmt.Sprintf("its members have %d %s", members, state.Counts)
		}
		end.Coming = append(end.Coming, Gap{"", fmt.Sprintf("desired is %d and %s", state.Desired, has)})
	}
	return end
}

// In names the gap with its group, for people.
func (g Gap) In(group string) string {
	if g.Instance == "" {
		return group + ": " + g.Why
	}
	return group + "/" + g.Instance + ": " + g.Why
}

// gapsNamed bounds the gaps that a line names; the result has all of them.
const gapsNamed = 3

// Missed says in a line which members of a group were not reached.
func Missed(group string, gaps []Gap) string {
	var words []string
	for _, gap := range gaps[:min(len(gaps), gapsNamed)] {
		words = append(words, strings.TrimSpace(gap.Instance+" "+gap.Why))
	}
	if more := len(gaps) - gapsNamed; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return group + ": not reached: " + strings.Join(words, ", ")
}

// Judged is a group's outcome with its gaps: what was not reached is no success, whatever else was.
func (o Outcome) Judged(gaps []Gap) Outcome {
	if len(gaps) > 0 && (o == Succeeded || o == SucceededWithSkips || o == SucceededImageStale) {
		return SucceededWithGaps
	}
	return o
}

// EndsWell reports whether the rest of a wave goes on after it.
func (o Outcome) EndsWell() bool {
	return o == Succeeded || o == SucceededWithSkips || o == SucceededWithGaps || o == SucceededImageStale
}
