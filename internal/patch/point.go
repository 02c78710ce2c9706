package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Point is where a wave stands, as whoever sends a verb names it. Hold counts how often the wave has asked people, or
// has begun to put back or to end: what a verb means changes there.
type Point struct {
	Stage string `json:"stage,omitempty"`
	Hold  int    `json:"hold,omitempty"`
}

// Point is where the wave stands now. One that runs stands at no hold: the last one was answered, and a verb that was
// copied from it means what was true then.
func (s WaveStatus) Point() Point {
	if s.State == StateRunning {
		return Point{Stage: s.Stage}
	}
	return Point{Stage: s.Stage, Hold: s.Hold}
}

// Flags are those of a verb's command that name the point; none of a wave that has asked nothing yet.
func (p Point) Flags() (flags []string) {
	if p.Stage != "" {
		flags = append(flags, "--stage", p.Stage)
	}
	if p.Hold != 0 {
		flags = append(flags, "--hold", fmt.Sprint(p.Hold))
	}
	return flags
}

// About is what a verb is about, and so when one that names no point can mean one thing only.
type About string

// What verbs are about.
const (
	AboutHold  About = "hold"  // it answers what was asked at one hold
	AboutStage About = "stage" // it changes the stage under way
	AboutWave  About = "wave"  // it means the same whenever it is heard
)

// AboutIn is what the verb is about in a wave of that state: while things are put back an abort gives up on them, and
// is another verb than the one that stops a wave.
func (v Verb) AboutIn(state WaveState) About {
	if v == Abort && (state == StateRollingBack || state == StateAborting) {
		return AboutHold
	}
	return v.Spec().About
}

// Means refuses a verb that was meant for another point of the wave than the one where it stands. One that names no
// hold, or no stage, is taken where it can mean one thing only: where the wave, as far as it has come, has offered the
// verb at one hold, or in one stage. offered are the points at which it has.
func (v Verb) Means(named Point, status WaveStatus, offered []Point) error {
	now := status.Point()
	switch {
	case named.Stage != "" && named.Stage != now.Stage:
		also := ""
		if v == RollBack {
			also = ", which one with the scope wave puts back as well"
		}
		return elsewhere(fmt.Sprintf("%s is for stage %s%s", v, named.Stage, also), status)
	case named.Hold != 0 && named.Hold != now.Hold:
		return elsewhere(fmt.Sprintf("%s is for hold %d", v, named.Hold), status)
	}
	could := slices.DeleteFunc(slices.Clone(offered), func(p Point) bool {
		return named.Stage != "" && named.Stage != p.Stage || named.Hold != 0 && named.Hold != p.Hold
	})
	differs := func(same func(Point) bool) bool {
		return slices.ContainsFunc(could, func(p Point) bool { return !same(p) })
	}
	switch v.AboutIn(status.State) {
	case AboutHold:
		if differs(func(p Point) bool { return p.Hold == now.Hold }) {
			return elsewhere(fmt.Sprintf("%s names no hold, and the wave has taken it at another one before", v), status)
		}
	case AboutStage:
		if differs(func(p Point) bool { return p.Stage == now.Stage }) {
			return elsewhere(fmt.Sprintf("%s names no stage, and the wave has taken it in another one before", v), status)
		}
	}
	return nil
}

// SendWith comes, in what a wave says of a verb that is meant for elsewhere, before what to send it with.
const SendWith = "send it with "

// elsewhere says where the wave stands, what it awaits there, and how to send a verb that is meant for it.
func elsewhere(why string, status WaveStatus) error {
	now := status.Point()
	var at, send []string
	if now.Hold > 0 {
		at, send = append(at, fmt.Sprintf("hold %d", now.Hold)), append(send, fmt.Sprintf(`"hold": %d`, now.Hold))
	}
	if now.Stage != "" {
		at, send = append(at, "stage "+now.Stage), append([]string{fmt.Sprintf(`"stage": %q`, now.Stage)}, send...)
	}
	if len(at) == 0 {
		return fmt.Errorf("%s; the wave is %s, and has asked nothing yet", why, status.State.Words())
	}
	stands := status.State.Words()
	if status.Awaiting != "" {
		stands += ": " + status.Awaiting
	}
	return fmt.Errorf("%s; the wave is at %s now and is %s. Look, and where it is meant for that "+SendWith+"%s",
		why, strings.Join(at, " of "), strings.TrimSuffix(stands, "."), strings.Join(send, ", "))
}

// NewHold reports whether a wave that goes from one state to another begins a hold of its own: it asks people, or puts
// back or ends, where an abort means another thing.
func NewHold(from, to WaveState) bool {
	switch to {
	case StateAwaitingApproval, StatePaused, StateOnHold, StateRollingBack, StateAborting:
		return from != to
	}
	return false // of a parked wave, which tries to go on again and again, its parking says so
}
