package patch

import (
	"fmt"
	"slices"
	"strings"
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
	StateAwaitingApproval WaveState = "awaiting_approval"
	StateRunning          WaveState = "running"
	StateOnHold           WaveState = "on_hold"
	StateRollingBack      WaveState = "rolling_back"
	StateAborting         WaveState = "aborting"
	StateClosed           WaveState = "closed"
)

// VerbsIn lists the verbs that a wave in that state takes.
func VerbsIn(state WaveState) []Verb {
	switch state {
	case StateAwaitingApproval:
		return []Verb{Approve, Reject, Abort}
	case StateOnHold:
		return []Verb{Retry, Skip, RollBack, Abort}
	case StateRunning, StatePreflight, StateRollingBack, StateAborting:
		return []Verb{Abort} // in the last two: give up on what cannot be put back
	}
	return nil
}

// MayTell refuses a verb that the state does not take, and names those that it does.
func MayTell(verb Verb, state WaveState) error {
	allowed := VerbsIn(state)
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
