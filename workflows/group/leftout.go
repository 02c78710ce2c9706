package group

import (
	"errors"
	"slices"

	"github.com/patchtide/patchtide/internal/patch"
)

// errNobody ends the turn of a group of which nobody is taken: neither marks nor room are made for it.
var errNobody = errors.New("nobody of it is taken: each of its members is excluded, or not taken by this wave")

// leaveOut keeps who of the members is excluded, or not taken by this wave, and forgets those that were to be taken and
// were excluded since. It reports whether that leaves nobody.
func (g *group) leaveOut(state patch.GroupState) (nobody bool) {
	g.status.LeftOut = state.LeftOut()
	isLeftOut := func(id string) bool {
		return slices.ContainsFunc(g.status.LeftOut, func(left patch.Gap) bool { return left.Instance == id })
	}
	g.status.Instances = slices.DeleteFunc(g.status.Instances, func(one patch.InstanceResult) bool {
		return one.Outcome == patch.NotStarted && isLeftOut(one.ID)
	})
	g.status.LeftOut = slices.DeleteFunc(g.status.LeftOut, func(left patch.Gap) bool {
		return indexOf(g.status.Instances, left.Instance) >= 0 // it was taken before
	})
	return len(g.status.LeftOut) > 0 && !g.unfinished() && len(state.Ordered(g.in.Policy.Order)) == 0
}
