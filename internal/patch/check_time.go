package patch

import (
	"fmt"
	"time"
)

// checkBlackout refuses while one holds.
func checkBlackout(v View) []*Refusal {
	holds := v.Policy.Blackouts.At(v.Now)
	if holds == nil {
		return nil
	}
	return v.refuse("it is in "+holds.String(), v.inAnotherWindow("start the wave once it is over, at "+
		v.Policy.Blackouts.Over(v.Now).Format(time.RFC3339)+", in a window of the plan if it has any"))
}

// checkWindowOpen refuses outside the window.
func checkWindowOpen(v View) []*Refusal {
	if open, why := v.Policy.Window.Open(v.Now); !open {
		return v.refuse(why, v.inAnotherWindow("start the wave inside the window"))
	}
	return nil
}

// checkWindowLasts refuses what the rest of an open window may not be enough for. Before a group was read, draining and
// slow start are not counted; before a wave has read any, nobody knows of which stage the bake is.
func checkWindowLasts(v View) []*Refusal {
	if open, _ := v.Policy.Window.Open(v.Now); !open || v.whole() {
		return nil
	}
	if v.level == LevelInstance && v.State == nil {
		return nil // its draining counts, which its group tells
	}
	if fits, why := v.Policy.Window.HasRoomFor(v.Now, v.budget()); !fits {
		return v.refuse(why, v.inAnotherWindow("start the wave earlier in the window, or widen it"))
	}
	return nil
}

// inAnotherWindow is what to do about a window: of a wave that has not begun, else nothing.
func (v View) inAnotherWindow(ofAWave string) string {
	if v.level == LevelWave {
		return ofAWave
	}
	return "the rest is patched in another window"
}

// budget is what one instance may need, as far as its target groups are known.
func (v View) budget() Budget {
	if v.State == nil {
		return v.Policy.Budget(nil)
	}
	return v.Policy.Budget(v.State.TargetGroups)
}

// MostGroups keeps a wave's history within what HistoryLeft reckons with, its preflight of some six events a group
// included. The next limit is the 2,000 children that Temporal lets a workflow have at once: each group's lock is one,
// and each service's.
const MostGroups = 1_000

// A group that is told to go once more, after a canary or a step, counts half as much again, and after a soak twice.
func checkGroupCount(v View) []*Refusal {
	if v.Groups+v.Again/2 <= MostGroups {
		return nil
	}
	again := ""
	if v.Again > 0 {
		again = fmt.Sprintf(", whose canaries, steps and soaks count as %d more,", v.Again/2)
	}
	return v.refuse(fmt.Sprintf("it has %d groups%s and a wave's history holds %d", v.Groups, again, MostGroups),
		"split the plan")
}

// MostInstances keeps a group's results, some 800 bytes an instance, within what goes through Temporal at once: they
// travel from one run of its workflow to the next, and to the wave.
const MostInstances = 600

func checkInstanceCount(v View) []*Refusal {
	if v.State == nil || len(v.State.Members) <= MostInstances {
		return nil
	}
	members := len(v.State.Members)
	return v.refuse(fmt.Sprintf("it has %d instances and %d are patched as one group", members, MostInstances),
		"divide it: one at a time, as a group is patched, it would take days")
}

func checkFreeze(v View) []*Refusal {
	switch {
	case v.Frozen == "":
		return nil
	case v.level == LevelWave && v.Lift == "":
		return v.refuse(v.Frozen, "see what is frozen: `patchtide freeze show`; once that is answered, start the wave again")
	case v.level == LevelWave:
		return v.refuse(v.Frozen, "ask who froze it to take it back: `"+v.Lift+"` ("+ForAll+"); then start the wave again")
	}
	return v.refuse(v.Frozen, "ask who froze it; once it is thawed, the rest goes on by itself")
}
