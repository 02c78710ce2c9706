package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verb is what an operator may tell a wave.
type Verb string

// The operators' verbs.
const (
	Approve  Verb = "approve"
	Reject   Verb = "reject"
	Retry    Verb = "retry"
	Skip     Verb = "skip"
	RollBack Verb = "roll_back"
	Abort    Verb = "abort"
	Pause    Verb = "pause"
	Resume   Verb = "resume"

	// Two that change how the wave goes on, and decide nothing.
	SetConcurrency Verb = "set_concurrency" // max_parallel_groups of the current stage
	ExtendWindow   Verb = "extend_window"   // the window's end, and with it its cutoff
)

// Scope says how much a roll_back puts back.
type Scope string

// The scopes of roll_back.
const (
	ScopeStage Scope = "stage" // the default
	ScopeWave  Scope = "wave"
)

// WaveState is where a wave stands; it is mirrored into a search attribute.
type WaveState string

// The states of a wave.
const (
	StateResolving        WaveState = "resolving"
	StatePreflight        WaveState = "preflight"
	StatePlanning         WaveState = "planning" // a dry run: it takes no verbs
	StateAwaitingApproval WaveState = "awaiting_approval"
	StateRunning          WaveState = "running"
	StatePaused           WaveState = "paused" // between instances, by a person
	StateOnHold           WaveState = "on_hold"
	StateParked           WaveState = "parked" // between two windows: no lock is held, nothing is out of service
	StateRollingBack      WaveState = "rolling_back"
	StateAborting         WaveState = "aborting"
	StateClosed           WaveState = "closed"
)

// WaveStates lists every state, in the order in which a wave may come through them.
func WaveStates() []WaveState {
	return []WaveState{
		StateResolving, StatePreflight, StatePlanning, StateAwaitingApproval, StateRunning, StatePaused, StateOnHold, StateParked, StateRollingBack, StateAborting, StateClosed,
	}
}

// Decides tells a verb that answers what a wave asks from one that only changes how it goes on.
func (v Verb) Decides() bool { return v != SetConcurrency && v != ExtendWindow }

// By says who sent the verb and why.
func (v Verb) By(d Decision) string { return fmt.Sprintf("%s by %s (%s)", v, d.Actor, d.Reason) }

// Verbs lists every verb, in the order in which people read them.
func Verbs() []Verb {
	return []Verb{Approve, Reject, Pause, Resume, Retry, Skip, RollBack, Abort, SetConcurrency, ExtendWindow}
}

// Asks tells that a wave waits for a person: it takes a verb that lets it go on. While a decision is carried out it takes none,
// in whatever state it still is, and a parked one that was told to go on waits for its window only.
func (s WaveStatus) Asks() bool {
	return slices.ContainsFunc(s.Verbs, func(v Verb) bool { return v == Approve || v == Resume || v == Retry })
}

// VerbsIn lists the verbs that a wave in that state takes. ExtendWindow is for plans with a window only.
func VerbsIn(state WaveState, windowed bool) []Verb {
	var verbs []Verb
	switch state {
	case StateAwaitingApproval:
		verbs = []Verb{Approve, Reject, Abort}
	case StateRunning:
		verbs = []Verb{Pause, RollBack, Abort}
	case StatePaused:
		verbs = []Verb{Resume, RollBack, Abort}
	case StateOnHold:
		verbs = []Verb{Retry, Skip, RollBack, Abort}
	case StateParked:
		verbs = []Verb{Resume, RollBack, Abort}
	case StatePreflight, StateRollingBack, StateAborting:
		return []Verb{Abort} // in the last two: give up on what cannot be put back
	default:
		return nil
	}
	verbs = append(verbs, SetConcurrency)
	if windowed {
		verbs = append(verbs, ExtendWindow)
	}
	return verbs
}

// MayTell refuses a verb that is none of those that a wave in that state takes now, and names those.
func MayTell(verb Verb, state WaveState, allowed []Verb) error {
	if slices.Contains(allowed, verb) {
		return nil
	}
	if len(allowed) == 0 {
		return fmt.Errorf("the wave is %s and takes no verbs now", state)
	}
	words := make([]string, len(allowed))
	for i, v := range allowed {
		words[i] = string(v)
	}
	return fmt.Errorf("the wave is %s: it takes %s, not %s", state, strings.Join(words, ", "), verb)
}

// Repeats tells that a verb was taken already: the newest decision is the same in every word, so that sending it again, as
// people and scripts do when an answer got lost, is answered and changes nothing.
func Repeats(decisions []Decision, again Decision) bool {
	if len(decisions) == 0 {
		return false
	}
	last := decisions[len(decisions)-1]
	last.At, last.Stage, last.Acts = time.Time{}, "", time.Time{}
	again.At, again.Stage, again.Acts = time.Time{}, "", time.Time{}
	return last == again
}

// FourEyes refuses an approval by the person who started the wave, where the stage demands somebody else's. Names are compared
// without regard to case and spaces around them; who somebody is, is as true as Temporal's authorisation makes it.
func FourEyes(stage Stage, starter, approver string) error {
	if stage.Approval == nil || !stage.Approval.FourEyes || !strings.EqualFold(strings.TrimSpace(starter), strings.TrimSpace(approver)) {
		return nil
	}
	return fmt.Errorf("%s started this wave, and stage %s demands four eyes: somebody else must approve", starter, stage.Name)
}

// longestExtension keeps a slip of the pen, such as a wrong year, from opening a window for good.
const longestExtension = 24 * time.Hour

// Extended is the window with a later end; its cutoff keeps its distance from it. Asking for the end that it has changes
// nothing. Any other moment must be in the future and at most a day after the end that it has.
func (w *Window) Extended(until, now time.Time) (*Window, error) {
	by := until.Sub(w.Closes)
	switch {
	case by == 0:
		return w, nil
	case !until.After(now):
		return nil, fmt.Errorf("until: %s has passed", until.Format(time.RFC3339))
	case by < 0:
		return nil, fmt.Errorf("until: the window closes at %s already; a window can only be extended; to stop sooner, send pause or abort", w.Closes.Format(time.RFC3339))
	case by > longestExtension:
		return nil, fmt.Errorf("until: %s is more than %s after the window's end at %s; start a wave in another window instead", until.Format(time.RFC3339), longestExtension, w.Closes.Format(time.RFC3339))
	}
	return &Window{Opens: w.Opens, Cutoff: w.Cutoff.Add(by), Closes: until}, nil
}
