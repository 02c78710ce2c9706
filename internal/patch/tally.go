package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Tally is how many instances ended in which way.
type Tally map[Outcome]int

// TallyOf counts the instances that have ended.
func TallyOf(instances []InstanceResult) Tally {
	tally := Tally{}
	for _, instance := range instances {
		if instance.Outcome != NotStarted && instance.Outcome != "" {
			tally[instance.Outcome]++
		}
	}
	return tally
}

// Ended is how many have, however.
func (t Tally) Ended() (ended int) {
	for _, count := range t {
		ended += count
	}
	return ended
}

// Patched is how many are, and serve.
func (t Tally) Patched() (patched int) {
	for outcome, count := range t {
		if outcome.LeftPatched() {
			patched += count
		}
	}
	return patched
}

// Count is how far some instances have come, for people. Each number says what it counts.
type Count struct {
	Tally Tally // of those that have ended
	Total int
	Back  int // of those patched: so many are to be put back
	Kept  int // of those failed: so many could not be put back, and are patched still
}

// Plus is both.
func (c Count) Plus(other Count) Count {
	sum := Tally{}
	for _, tally := range []Tally{c.Tally, other.Tally} {
		for outcome, count := range tally {
			sum[outcome] += count
		}
	}
	return Count{sum, c.Total + other.Total, c.Back + other.Back, c.Kept + other.Kept}
}

// Words counts by how they ended, the best first: "2 patched, 1 rolled back"; "" where none has.
func (t Tally) Words() string {
	var said []string
	for _, outcome := range slices.Concat([]Outcome{Patched, PatchedRebootPending}, otherEnds, []Outcome{NotStarted}) {
		if count := t[outcome]; count > 0 {
			said = append(said, fmt.Sprintf("%d %s", count, outcome.Words()))
		}
	}
	return strings.Join(said, ", ")
}

// Over is how many need nothing more: they have ended, and are not to be put back.
func (c Count) Over() int { return max(c.Tally.Ended()-c.Back, 0) }

// String is how many are patched, and what became of the others that have ended: "1 of 4 patched, 1 rolled back".
func (c Count) String() string {
	patched := max(c.Tally.Patched()-c.Back, 0)
	var said []string
	if patched > 0 || c.Back+c.Kept == 0 {
		said = append(said, fmt.Sprintf("%d of %d patched", patched, c.Total))
	}
	if c.Back > 0 {
		said = append(said, fmt.Sprintf("%d to be put back", c.Back))
	}
	if c.Kept > 0 {
		said = append(said, fmt.Sprintf("%d of %d still patched", c.Kept, c.Total))
	}
	for _, outcome := range otherEnds {
		count := c.Tally[outcome]
		if outcome == Failed {
			count -= c.Kept
		}
		if count > 0 {
			said = append(said, fmt.Sprintf("%d %s", count, outcome.Words()))
		}
	}
	return strings.Join(said, ", ")
}

// otherEnds are how instances end that are not patched, the best first.
var otherEnds = []Outcome{AlreadyCompliant, RebootPending, RolledBack, Skipped, Gone, Quarantined, Failed}

// Count is how far the group has come.
func (c GroupCounts) Count() Count {
	count := Count{Tally: c.Tally, Total: c.Total, Kept: c.StillPatched}
	if c.Phase == GroupRollingBack || c.ToPutBack {
		count.Back = c.Patched
	}
	return count
}

// Stands is where the group stands, in a person's words: its phase, and once it is done how it ended, or that it waits
// for its turn to be put back.
func (c GroupCounts) Stands() string {
	switch {
	case c.Phase != GroupDone:
		return c.Phase.Words()
	case c.ToPutBack && c.Patched > 0: // how it ended is what is undone
		return "waits"
	case c.Outcome == "":
		return NotStarted.Words()
	}
	return c.Outcome.Words()
}

// Stands is how the group's instances stand, by its own word and by that of those under way, by their workflows' ids:
// one that has ended tells so before its group does. What is patched and is to be put back has not ended.
func (s GroupStatus) Stands(underWay map[string]InstanceStatus, putsBack bool) []InstanceResult {
	instances := slices.Clone(s.Instances)
	for i := range instances {
		if (putsBack || s.Phase == GroupRollingBack) && s.Phase != GroupDone && instances[i].Outcome.LeftPatched() {
			instances[i].Outcome = NotStarted
		}
	}
	for _, id := range s.Current {
		now, known := underWay[id]
		i := slices.IndexFunc(instances, func(r InstanceResult) bool { return r.ID == now.ID })
		switch {
		case !known || i < 0:
		case now.Step != StepEnded:
			instances[i].Outcome = NotStarted
		case now.Result.Outcome != "":
			instances[i] = now.Result
		}
	}
	return instances
}
