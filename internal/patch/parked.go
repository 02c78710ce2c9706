package patch

import "time"

// Parked is a wave that waits for a window: it holds no lock, and nothing of it is left in AWS.
type Parked struct {
	Window   *Window   // the one that ended on it, as extended
	Next     *Window   // the one that follows
	Standing *Decision // the verb that acts once a window is open; nil: nobody has sent one
}

// ParkedMove is what a parked wave does next.
type ParkedMove string

// The moves of a parked wave.
const (
	ParkedWaits  ParkedMove = "wait"  // until a moment, or a verb
	ParkedGoesOn ParkedMove = "go_on" // in a window that is open
	ParkedAsks   ParkedMove = "ask"   // which window follows: nobody was there while one was open
	ParkedEnds   ParkedMove = "end"   // nobody resumed it
)

// ParkedStep is a move with the window that counts from now on, and how long to wait at most.
type ParkedStep struct {
	Move   ParkedMove
	Window *Window
	Until  time.Time // of a wait
}

// Step decides at t. A wave with a standing verb goes on in the first window that is open; one without ends once the window
// after its own starts nothing any more.
func (p Parked) Step(t time.Time) ParkedStep {
	now := p.Window
	if !t.Before(p.Next.Opens) {
		now = p.Next
	}
	open, _ := now.Open(t)
	switch {
	case open && p.Standing != nil:
		return ParkedStep{Move: ParkedGoesOn, Window: now}
	case t.Before(p.Next.Opens):
		return ParkedStep{Move: ParkedWaits, Window: now, Until: p.Next.Opens}
	case t.Before(p.Next.Cutoff):
		return ParkedStep{Move: ParkedWaits, Window: now, Until: p.Next.Cutoff}
	case p.Standing != nil:
		return ParkedStep{Move: ParkedAsks, Window: now}
	}
	return ParkedStep{Move: ParkedEnds, Window: now}
}

// Acts is when a standing verb acts: at once while a window is open, else when the next one opens.
func (p Parked) Acts(t time.Time) time.Time {
	for _, window := range []*Window{p.Window, p.Next} {
		if open, _ := window.Open(t); open {
			return t
		}
	}
	return p.Next.Opens
}

// Extend keeps up with a window that was extended.
func (p *Parked) Extend(was, is *Window) {
	if p.Next == was {
		p.Next = is
	}
	if p.Window == was {
		p.Window = is
	}
}

// VerbsParked lists the verbs that a parked wave takes, by the one that stands; "" when none does. An approval that has not
// acted yet may still be taken back.
func VerbsParked(standing Verb) []Verb {
	switch standing {
	case "":
		return VerbsIn(StateParked, true)
	case Approve:
		return []Verb{Reject, RollBack, Abort, SetConcurrency, ExtendWindow}
	}
	return []Verb{RollBack, Abort, SetConcurrency, ExtendWindow}
}
