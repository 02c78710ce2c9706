package patch

import (
	"fmt"
	"time"
)

// Parked is a wave that waits for a window: it holds no lock, and nothing of it is left in AWS.
type Parked struct {
	Window   *Window   // the one that ended on it, as extended
	Next     *Window   // the one that follows
	Standing *Decision // the verb that acts once a window is open; nil: nobody has sent one
	// Soaks is until when it does not go on whatever is open: its stage soaks. Zero: it does not.
	Soaks time.Time
	// AnyTime is of a plan without windows: Next only bounds for how long what stands is tried.
	AnyTime bool

	Tries int       // how often it has been tried in vain
	Again time.Time // before which it is not tried again
	tried *Window   // in which it was tried last
}

// Stand makes a verb the one that stands; nil: none does.
func (p *Parked) Stand(decision *Decision) {
	p.Standing, p.Tries, p.Again, p.tried = decision, 0, time.Time{}, nil
}

// longestPause is the longest pause between two tries of a standing verb; the first is a minute. Each costs some thirty
// events a group.
const longestPause = 30 * time.Minute

// InVain notes that the standing verb could not be carried out at t, because another wave holds a group, an account is
// frozen or the like: it is tried again, ever more seldom, until the window's cutoff.
func (p *Parked) InVain(t time.Time) {
	pause := longestPause
	if p.Tries < 5 {
		pause = time.Minute << p.Tries
	}
	p.Tries, p.Again, p.tried = p.Tries+1, t.Add(pause), p.current(t)
}

// GivesUp reports whether the standing verb was tried in the window that is over now: in another nobody expects it any
// more.
func (p Parked) GivesUp() bool { return p.Standing != nil && p.tried == p.Next }

// Tells says at t when a verb that was tried in vain is tried again.
func (p Parked) Tells(t time.Time) string {
	next := t
	if next.Before(p.Again) {
		next = p.Again
	}
	switch cutoff := p.tried.Cutoff; {
	case next.Before(cutoff):
		return fmt.Sprintf(
			"is tried again at %s, until the window's cutoff at %s", next.Format(time.RFC3339), cutoff.Format(time.RFC3339),
		)
	case p.tried == p.Next:
		return "is not tried again before the window's cutoff at " + cutoff.Format(time.RFC3339)
	}
	return "is tried again when the next window opens at " + p.Next.Opens.Format(time.RFC3339)
}

// current is the window that counts at t.
func (p Parked) current(t time.Time) *Window {
	if t.Before(p.Next.Opens) && p.Window != nil {
		return p.Window
	}
	return p.Next
}

// ParkedMove is what a parked wave does next.
type ParkedMove string

// The moves of a parked wave.
const (
	ParkedWaits  ParkedMove = "wait"   // until a moment, or a verb
	ParkedGoesOn ParkedMove = "go_on"  // in a window that is open
	ParkedAsks   ParkedMove = "ask"    // which window follows: nobody was there while one was open
	ParkedEnds   ParkedMove = "end"    // nobody resumed it
	ParkedSoaked ParkedMove = "soaked" // its stage has: which window it goes on in is asked anew, for days have passed
)

// ParkedStep is a move with the window that counts from now on, and how long to wait at most.
type ParkedStep struct {
	Move   ParkedMove
	Window *Window
	Until  time.Time // of a wait
}

// Step decides at t. A wave with a standing verb goes on in the first window that is open; one without ends once the
// window after its own starts nothing any more.
func (p Parked) Step(t time.Time) ParkedStep {
	now := p.current(t)
	open, _ := now.Open(t)
	if p.AnyTime && p.Standing != nil {
		now = nil
	}
	switch {
	case t.Before(p.Soaks):
		return ParkedStep{Move: ParkedWaits, Window: now, Until: p.Soaks}
	case !p.Soaks.IsZero():
		return ParkedStep{Move: ParkedSoaked, Window: now}
	case open && p.Standing != nil && t.Before(p.Again):
		until := p.Again
		if cutoff := p.current(t).Cutoff; cutoff.Before(until) {
			until = cutoff
		}
		return ParkedStep{Move: ParkedWaits, Window: now, Until: until}
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

// Acts is when a standing verb acts: at once while a window is open, else when the next one opens; not before the stage
// has soaked.
func (p Parked) Acts(t time.Time) time.Time {
	if t.Before(p.Soaks) {
		t = p.Soaks
	}
	for _, window := range []*Window{p.Window, p.Next} {
		if open, _ := window.Open(t); open {
			return t
		}
	}
	return p.Next.Opens
}

// Extend keeps up with a window that was extended.
func (p *Parked) Extend(was, is *Window) {
	if p.tried == was {
		p.tried = is
	}
	if p.Next == was {
		p.Next = is
	}
	if p.Window == was {
		p.Window = is
	}
}
