package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Reach is what a wave would take of a group, and what it leaves as it is.
type Reach struct {
	Taken   []string // instance ids
	Zones   []string // in which it has instances, taken or not
	LeftOut []Gap
}

// ReachOf is a group's, by what was read of it.
func ReachOf(state GroupState, by Order) (reach Reach) {
	reach.LeftOut = state.LeftOut()
	for _, member := range state.Ordered(by) {
		reach.Taken = append(reach.Taken, member.ID)
	}
	for _, member := range state.Members {
		if !slices.Contains(reach.Zones, member.Zone) {
			reach.Zones = append(reach.Zones, member.Zone)
		}
	}
	return reach
}

// Aside are the ids of those whom only this wave leaves out.
func (r Reach) Aside() (ids []string) {
	for _, left := range r.LeftOut {
		if strings.HasPrefix(left.Why, takesOnly) {
			ids = append(ids, left.Instance)
		}
	}
	return ids
}

// Nobody reports whether all of the group is left as it is: nothing of it stands in the way of a wave.
func (r Reach) Nobody() bool { return len(r.Taken) == 0 && len(r.LeftOut) > 0 }

// Misses says what of whom a wave is to take is nobody's, by its groups; "": all of it is somebody's. Who misspells an
// id, or a zone, must not be told that all went well.
func (o *Only) Misses(plan string, groups []Reach) string {
	if o.Empty() {
		return ""
	}
	var taken, zones []string
	why := map[string]string{}
	for _, group := range groups {
		taken, zones = append(taken, group.Taken...), append(zones, group.Zones...)
		for _, left := range group.LeftOut {
			why[left.Instance] = left.Why
		}
	}
	for _, id := range o.Instances {
		switch {
		case slices.Contains(taken, id):
		case why[id] != "":
			return fmt.Sprintf("only: %s would not be taken: %s", id, why[id])
		default:
			return fmt.Sprintf("only: no group of the plan %s has an instance %s that can be taken: it is of none, leaves, "+
				"or is stopped", plan, id)
		}
	}
	slices.Sort(zones)
	for _, zone := range o.Zones {
		if !slices.Contains(zones, zone) {
			return fmt.Sprintf("only: no group of the plan %s has an instance in zone %s; there are %s", plan, zone,
				strings.Join(slices.Compact(zones), ", "))
		}
	}
	if len(taken) == 0 {
		return "only: it leaves nobody to be taken: each instance is excluded, or none of them"
	}
	return ""
}
