package patch

// WaveState is where a wave stands; it is mirrored into a search attribute.
type WaveState string

// The states of a wave.
const (
	StateResolving        WaveState = "resolving"
	StatePreflight        WaveState = "preflight"
	StatePlanning         WaveState = "planning" // a preview: it takes no verbs
	StateAwaitingApproval WaveState = "awaiting_approval"
	StateRunning          WaveState = "running"
	StatePaused           WaveState = "paused" // between instances, by a person
	StateOnHold           WaveState = "on_hold"
	StateSoaking          WaveState = "soaking" // between two stages: as parked, but it goes on by itself
	StateParked           WaveState = "parked"  // between two windows: no lock is held, nothing is out of service
	StateRollingBack      WaveState = "rolling_back"
	StateAborting         WaveState = "aborting"
	StateClosed           WaveState = "closed"
)

// WaveStates lists every state, in the order in which a wave may come through them.
func WaveStates() []WaveState {
	return []WaveState{
		StateResolving, StatePreflight, StatePlanning, StateAwaitingApproval, StateRunning, StatePaused, StateOnHold,
		StateSoaking, StateParked, StateRollingBack, StateAborting, StateClosed,
	}
}
