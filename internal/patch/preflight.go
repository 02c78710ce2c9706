package patch

import (
	"slices"
	"time"
)

// Level is what a check stands before.
type Level string

// The levels, in the order in which a wave meets them.
const (
	LevelWave     Level = "wave"     // the whole plan, then each of its groups, before anything is changed anywhere
	LevelGroup    Level = "group"    // one group, before it is marked and room is made in it
	LevelInstance Level = "instance" // one instance, before it is taken out of service to be patched
	// LevelPutBack is before one that was patched goes out to be put back; without an instance, before its group's first.
	LevelPutBack Level = "put back"
	// LevelReturn asks the group to which a quarantined one is to return, and of the instance that gives way, if one does.
	LevelReturn Level = "release"
)

// Levels lists all of them.
func Levels() []Level {
	return []Level{LevelWave, LevelGroup, LevelInstance, LevelPutBack, LevelReturn}
}

// Needs is what a check looks at, beside what a plan says. Whoever asks reads in phases and asks after each: a check
// that needs what has not been read yet is not asked.
type Needs uint8

// What a check may need.
const (
	NeedsState    Needs = 1 << iota // View.State
	NeedsInstance                   // View.Instance
	NeedsAround                     // View.Around
	NeedsMachine                    // View.Machine
)

// View is everything that a check may look at. What is nil has not been read yet. Nobody's answer is not nil: it is a
// value that says so, and refuses (Machine.Facts, Calendar.Error, Frozen, an alarm without data).
type View struct {
	Group    Group // the zero value: the plan as a whole is asked about
	Policy   Policy
	Now      time.Time // by the clock of the policy's window
	Groups   int       // how many the plan has
	Again    int       // see Plan.AddedTurns
	Frozen   string    // why nothing may begin, be it that nobody knows whether it may; "": it may, or that is not asked
	Lift     string    // the command that lifts it; "": nobody knows what there is to lift
	State    *GroupState
	Instance string // "": the group as a whole
	Holdings Holdings
	Around   *Interference // of all instances, or of Instance; what is in it of other instances is another one's turn
	Machine  *MachineAnswer
	// Beside is whether others of the group may be under way while it is not this one's turn to go out: what may be for
	// their sake is not asked.
	Beside bool

	level Level // set by Refusals
}

// MachineAnswer is what came of asking a machine by a fresh command.
type MachineAnswer struct {
	Facts   *MachineFacts       // nil: nobody answered
	Within  Duration            // for so long it was waited for
	Answers []Answer            // what it answers, while it still serves, to the checks that are to judge it
	Metrics []MetricObservation // likewise what CloudWatch tells of it
}

// Check is one condition for beginning. Every level asks it that does not leave it out with a reason.
type Check struct {
	Code     RefusalCode
	When     string // what refuses, for docs/refusals.md
	WhatToDo string // likewise
	Ends     bool   // the group ends there without a failure, as at the end of a window
	Waits    bool   // it is likely to pass: the instance that is about to go out waits for it
	// Siblings is whether it may be for what this wave itself has out of the group: waited for while that is so.
	Siblings bool
	Needs    Needs
	LeftOut  map[Level]string // why a level does not ask it
	// Refuses returns why not; nil when nothing stands against it. The code is set by who asks.
	Refuses func(View) []*Refusal
}

// Levels are those that ask the check.
func (c Check) Levels() []Level {
	return slices.DeleteFunc(Levels(), func(level Level) bool { return c.LeftOut[level] != "" })
}

// asks reports whether the check is asked at a level, of what has been read.
func (c Check) asks(level Level, view View) bool {
	return c.LeftOut[level] == "" && (!c.Siblings || !view.Beside) &&
		(c.Needs&NeedsState == 0 || view.State != nil) &&
		(c.Needs&NeedsInstance == 0 || view.Instance != "") &&
		(c.Needs&NeedsAround == 0 || view.Around != nil) &&
		(c.Needs&NeedsMachine == 0 || view.Machine != nil)
}

// ask is the check's answer.
func (c Check) ask(level Level, view View) []*Refusal {
	if !c.asks(level, view) {
		return nil
	}
	view.level = level
	found := c.Refuses(view)
	for _, refusal := range found {
		refusal.Code = c.Code
	}
	return found
}

// Checks is the table of checks, in the order in which they are asked.
func Checks() []Check { return slices.Clone(checks) }

// Refusals is everything that stands against beginning, in the order of the table. A plan shows all of it.
func Refusals(level Level, view View) []*Refusal {
	var found []*Refusal
	for _, check := range checks {
		found = append(found, check.ask(level, view)...)
	}
	return found
}

// First is the refusal that a wave stops at; nil when nothing that has been read stands against beginning.
func First(level Level, view View) *Refusal { return first(Refusals(level, view)) }

// firstOf is First of some codes only.
func firstOf(level Level, view View, codes ...RefusalCode) *Refusal {
	return first(slices.DeleteFunc(Refusals(level, view), func(r *Refusal) bool {
		return !slices.Contains(codes, r.Code)
	}))
}

// TooLate is the refusal of an act whose turn has come after its window's cutoff, or too near to it; nil when it may be
// begun. It needs no reading, so that it can be asked right before the act.
func TooLate(level Level, view View) *Refusal {
	return firstOf(level, view, RefusedBlackout, RefusedOutsideWindow, RefusedWindowEnds)
}

// Shut is the refusal of an act of a group that takes nothing out and is over at once, where its window or a calendar
// is shut by now; nil where they are open.
func Shut(view View) *Refusal {
	return firstOf(LevelGroup, view, RefusedBlackout, RefusedOutsideWindow, RefusedCalendar)
}

// Ends reports whether a group that is refused so ends there without a failure: a later window does the rest.
func (c RefusalCode) Ends() bool {
	return slices.ContainsFunc(checks, func(check Check) bool { return check.Code == c && check.Ends })
}

// Waits reports whether an instance that is refused so waits for it to pass.
func (c RefusalCode) Waits() bool {
	return slices.ContainsFunc(checks, func(check Check) bool { return check.Code == c && check.Waits })
}

// ForSiblings reports whether an instance may be refused so for the sake of others of its group that this wave has out.
func (c RefusalCode) ForSiblings() bool {
	return slices.ContainsFunc(checks, func(check Check) bool { return check.Code == c && check.Siblings })
}

// refuse is one refusal of what the view is about: the plan, a group or an instance.
func (v View) refuse(what, whatToDo string) []*Refusal {
	if v.whole() {
		return v.refuseAt(v.Policy.Plan, what, whatToDo)
	}
	return v.refuseAt(place(v.Group, v.Instance), what, whatToDo)
}

// refuseGroup is one refusal of the group, whichever instance is asked about.
func (v View) refuseGroup(what, whatToDo string) []*Refusal {
	return v.refuseAt(v.Group.String(), what, whatToDo)
}

// refuseOf is one refusal of an instance; "" of the group.
func (v View) refuseOf(instance, what, whatToDo string) []*Refusal {
	return v.refuseAt(place(v.Group, instance), what, whatToDo)
}

func (v View) refuseAt(where, what, whatToDo string) []*Refusal {
	return []*Refusal{{Where: where, What: what, WhatToDo: whatToDo}}
}

// whole reports whether the view is about a plan as a whole.
func (v View) whole() bool { return v.Group.Region == "" }

// about reports whether what was read of an instance concerns the view: "" is about all of them.
func (v View) about(instance string) bool {
	return v.Instance == "" || instance == "" || instance == v.Instance
}

// members are those that the view is about.
func (v View) members() []Member {
	if v.Instance == "" { // one at rest is left as it is; should it be started, it is asked by itself
		return slices.DeleteFunc(slices.Clone(v.State.Members), Member.AtRest)
	}
	return slices.DeleteFunc(slices.Clone(v.State.Members), func(m Member) bool { return m.ID != v.Instance })
}

func some(refusal *Refusal) []*Refusal {
	if refusal == nil {
		return nil
	}
	return []*Refusal{refusal}
}
