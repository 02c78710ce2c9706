package patch

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// WaveStatus is a wave's whole state; the query `status` answers with it.
type WaveStatus struct {
	WaveID   string    `json:"wave_id"`
	Plan     string    `json:"plan"`
	PutsBack string    `json:"puts_back,omitempty"` // of a RollBackWave: the wave whose instances it puts back
	Only     *Only     `json:"only,omitempty"`      // whom it takes; none: everybody
	State    WaveState `json:"state"`
	Outcome  Outcome   `json:"outcome,omitempty"` // once closed
	Reason   string    `json:"reason,omitempty"`  // once closed: why it ended so, where there is something to say
	Stage    string    `json:"stage,omitempty"`   // the current one
	// Hold counts how often it has asked people so far, or has begun to put back or to end: see Point.
	Hold     int    `json:"hold,omitempty"`
	Awaiting string `json:"awaiting,omitempty"` // what a person is asked for, with the reason
	Verbs    []Verb `json:"verbs,omitempty"`    // what it takes now
	NotBy    string `json:"not_by,omitempty"`   // from whom it takes no approval now, though from others
	// Otherwise is what is decided by itself at Until, if nobody answers by then; nil: nothing, ever.
	Otherwise Verb       `json:"otherwise,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	RollsBack RollsBack  `json:"rolls_back"`
	// PutBackBefore is of a RollBackWave who had put its wave back before, and when: "ann at 2026-11-22 03:00:00 UTC".
	PutBackBefore string    `json:"put_back_before,omitempty"`
	Since         time.Time `json:"since"`
	Window        *Window   `json:"window,omitempty"` // as extended; none: any time
	// NextWindow is the one in which a parked wave can go on.
	NextWindow *Window       `json:"next_window,omitempty"`
	Stages     []StageStatus `json:"stages"`
	// Helpers are the workflows that read, scan or judge groups for it right now.
	Helpers   []Helper   `json:"helpers,omitempty"`
	Decisions []Decision `json:"decisions,omitempty"`
	Stranded  []Stranded `json:"stranded,omitempty"`
	// FailingUndos are tried again and again, and end by themselves once AWS lets them.
	FailingUndos []FailingUndo `json:"failing_undos,omitempty"`
	NotTold      []string      `json:"not_told,omitempty"` // notices that a channel did not take, and why
	// Case is what whoever approves is told: of the stage that awaits it, or was approved last; nil: none has been yet.
	Case *Case `json:"case,omitempty"`
	// CountsEvery is after how many instances each group's Done moves; 0: with each. See ReportsEvery.
	CountsEvery int `json:"counts_every,omitempty"`
	// nil: nobody can tell, as before it has its locks or while it puts back
	ETA   *ETA      `json:"eta,omitempty"`
	Hooks []HookRun `json:"hooks,omitempty"` // what ran of the plan's hooks of the wave
	// Blocked is what was blocked for every plan when it began, or has been since through it, by whom and why; with it who
	// runs that still, and what is not blocked though two failed with it.
	Blocked []string `json:"blocked,omitempty"`
}

// Helper is a workflow that works for a wave on some of its groups.
type Helper struct {
	WorkflowID string `json:"workflow_id"`
	Does       string `json:"does"` // in a person's words
}

// RollsBack is how many instances a roll_back would put back now, by its scope: those that are patched. Where the plan
// can put none back they stay patched instead.
type RollsBack struct {
	Stage int `json:"stage"` // of the current stage
	Wave  int `json:"wave"`
	// Loses is what each of them loses beside its patches; "": nothing.
	Loses string `json:"loses,omitempty"`
	// WhyNot is why none can be put back that is patched; "": they can, or none is.
	WhyNot     string `json:"why_not,omitempty"`
	StageStays int    `json:"stage_stays,omitempty"` // of the current stage: they stay patched
	WaveStays  int    `json:"wave_stays,omitempty"`
}

// By is how many a roll back of the scope puts back; without one it is of the stage.
func (r RollsBack) By(scope Scope) int {
	if scope == ScopeWave {
		return r.Wave
	}
	return r.Stage
}

// StaysBy is how many stay patched whatever is rolled back of the scope.
func (r RollsBack) StaysBy(scope Scope) int {
	if scope == ScopeWave {
		return r.WaveStays
	}
	return r.StageStays
}

// Nothing says that a roll back of the scope puts nothing back, and how many stay patched; "": it may put some back.
func (r RollsBack) Nothing(scope Scope) string {
	if r.WhyNot == "" {
		return ""
	}
	return NothingBack(r.WhyNot, r.StaysBy(scope))
}

// NothingBack says that nothing can be put back for a reason, and how many stay patched.
func NothingBack(why string, stay int) string {
	said := "nothing can be put back: " + why
	switch stay {
	case 0:
	case 1:
		said += "; 1 stays patched"
	default:
		said += fmt.Sprintf("; %d stay patched", stay)
	}
	return said
}

// StageStatus is a stage as the wave knows it.
type StageStatus struct {
	Name    string        `json:"name"`
	Outcome Outcome       `json:"outcome,omitempty"`
	Groups  []GroupCounts `json:"groups"`
	ETA     *ETA          `json:"eta,omitempty"`  // while there is something left to do
	Soak    *Soak         `json:"soak,omitempty"` // once it was done; nil: no stage waits for it so long
	Steps   []StepStatus  `json:"steps,omitempty"`
	Pinned  *Pinned       `json:"pinned,omitempty"` // what its instances are bound to; nil: nothing, or it has not begun
	Images  []RootImage   `json:"images,omitempty"` // that replace its root volumes; none: they stay, or it has not begun
}

// GroupCounts is what a group tells its wave; details are asked from the group itself by its workflow's id.
type GroupCounts struct {
	Group      string     `json:"group"`              // account/region/name
	WorkflowID string     `json:"workflow_id"`        // PatchGroup's
	Baseline   string     `json:"baseline,omitempty"` // by which it is judged, where that is not the plan's
	Phase      GroupPhase `json:"phase"`
	Outcome    Outcome    `json:"outcome,omitempty"` // as its instances stand
	Strategy   Strategy   `json:"strategy"`
	Total      int        `json:"total"`
	Done       int        `json:"done"`            // ended, however
	Tally      Tally      `json:"tally,omitempty"` // the same, by how they ended
	Patched    int        `json:"patched,omitempty"`
	// StillPatched were to be put back and could not be; they count among those that failed.
	StillPatched int              `json:"still_patched,omitempty"`
	ToPutBack    bool             `json:"to_put_back,omitempty"` // those that are patched wait for it, whatever the phase
	Failed       []InstanceResult `json:"failed,omitempty"`
	Failures     int              `json:"failures,omitempty"` // where Failed does not list all of them
	// Unproven are those that it took and did not prove: see Plan.Gate.
	Unproven []NoticedInstance `json:"unproven,omitempty"`
	// LastPatched is when the last of those that are left patched had been proven in service; zero: none is.
	LastPatched time.Time `json:"last_patched,omitzero"`
	Reason      string    `json:"reason,omitempty"`
	Gaps        []Gap     `json:"gaps,omitempty"`     // members that were not reached, once all others were
	LeftOut     []string  `json:"left_out,omitempty"` // who is excluded, or not taken by this wave; for people
	// Waiting names who waits for a reboot that the wave leaves to others, and for what; for people.
	Waiting    []string      `json:"waiting_for_reboot,omitempty"`
	StaleImage string        `json:"stale_image,omitempty"` // what its next instance lacks of what was installed; for people
	Image      string        `json:"image,omitempty"`       // what became of it, where it was to be renewed; for people
	Stranded   []Stranded    `json:"stranded,omitempty"`    // so far, its instances' included
	Serving    string        `json:"serving,omitempty"`     // of one on hold: how many members are in service; for people
	Stops      bool          `json:"stops,omitempty"`       // one has failed: it is held once those under way have ended
	Closed     RefusalCode   `json:"closed,omitempty"`      // a window or a calendar that lets no further instance begin
	Each       Duration      `json:"each,omitempty"`        // what those patched in this wave took on average; 0: none yet
	ETA        *ETA          `json:"eta,omitempty"`         // the wave's word, while there is something left to do
	Failing    []FailingUndo `json:"failing_undos,omitempty"`
	Now        []InstanceNow `json:"now,omitempty"` // filled in by the wave from what its group passes on
	// BaselineDiffered is how the baseline in Systems Manager differed from its file before the wave made it equal, and
	// since when; "": it did not.
	BaselineDiffered string `json:"baseline_differed,omitempty"`
}

// GroupAtWork is what a group's instances under way are doing, as it passes that on to its wave.
type GroupAtWork struct {
	Group string        `json:"group"` // account/region/name
	At    time.Time     `json:"at"`    // by the group's clock: signals may overtake each other
	Done  int           `json:"done"`  // how many have ended
	Tally Tally         `json:"tally"` // the same, by how they ended
	Now   []InstanceNow `json:"now"`   // in the order in which they were begun
}

// InstanceNow is what an instance under way is doing. It is told for people to look at, and nothing is decided by it.
type InstanceNow struct {
	ID      string    `json:"id"`
	Step    Step      `json:"step"`
	Undoing bool      `json:"undoing,omitempty"`
	Why     string    `json:"why,omitempty"` // it is put back
	Since   time.Time `json:"since"`
	// Failing is its undo that does not end; nil: there is none.
	Failing *FailingUndo `json:"failing_undo,omitempty"`
}

// Paused reports whether a person has paused it and nobody has let it go on, also where it stands elsewhere meanwhile,
// as on hold. A parked wave is paused no more, and what puts back or ends is not.
func (s WaveStatus) Paused() bool {
	switch s.State {
	case StateParked, StateClosed, StateRollingBack, StateAborting:
		return false
	}
	for _, decision := range slices.Backward(s.Decisions) {
		if decision.Verb == Pause || decision.Verb == Resume {
			return decision.Verb == Pause
		}
	}
	return s.State == StatePaused
}

// EndedWell reports whether a wave that has closed did all that it was asked, so that nobody need look: a roll back
// that put back what it was to put back did.
func (s WaveStatus) EndedWell() bool {
	switch s.Outcome {
	case Succeeded, SucceededWithSkips, WouldRun:
		return true
	}
	return s.PutsBack != "" && s.PutBackWell()
}

// LeavesNothing reports whether a wave that has closed left nothing patched, so that there is nothing to put back: of
// one that failed, or of which an instance did, nobody can say so.
func (s WaveStatus) LeavesNothing() bool {
	if s.PutsBack != "" {
		return s.PutBackWell()
	}
	if s.Outcome == Failed || len(s.Stranded) > 0 {
		return false
	}
	for _, stage := range s.Stages {
		for _, group := range stage.Groups {
			if group.Tally.Patched()+group.Tally[Failed]+group.Tally[Quarantined] > 0 {
				return false
			}
		}
	}
	return true
}

// PutBackWell reports whether a wave that has closed put back all that it was to put back.
func (s WaveStatus) PutBackWell() bool { return s.Outcome == RolledBack || s.Outcome == NothingPutBack }

// Waits is why a wave that runs begins nothing: each of its groups that could go on waits, as for a freeze. "": it does
// not, or is not running.
func (s WaveStatus) Waits() (why string) {
	if s.State != StateRunning {
		return ""
	}
	for _, stage := range s.Stages {
		for _, group := range stage.Groups {
			switch group.Phase {
			case GroupPatching, GroupHeld, GroupRollingBack:
				return ""
			case GroupPaused:
				why = cmp.Or(why, group.Reason)
			}
		}
	}
	return why
}

// mostFollowed is up to how many instances a wave is told each step of each. A step costs it some four events, an
// instance fifteen steps: 6,000 of the 51,200 that a wave's history may have.
const mostFollowed = 100

// FollowsInstances reports whether a wave of so many instances is told what each is doing. A larger one's groups are; a
// group begins its history anew now and then.
func FollowsInstances(instances int) bool { return instances <= mostFollowed }

// GroupPhase is where a group stands.
type GroupPhase string

// The phases of a group.
const (
	GroupIdle     GroupPhase = "idle" // holds its lock and waits for its turn
	GroupPatching GroupPhase = "patching"
	// between two instances: another group is held, a person paused the wave, it is frozen, or a zone of it soaks
	GroupPaused GroupPhase = "paused"
	// its canary has baked, or its step is done: the others wait for the stage's other groups, and for what the step asks
	GroupStepDone    GroupPhase = "step_done"
	GroupHeld        GroupPhase = "held" // more failures than it may carry: waits for a decision
	GroupRollingBack GroupPhase = "rolling_back"
	GroupDone        GroupPhase = "done" // waits to be released
)

// GroupStatus is a group's whole state; the query `status` of PatchGroup answers with it.
type GroupStatus struct {
	Group      string           `json:"group"`
	Phase      GroupPhase       `json:"phase"`
	Reason     string           `json:"reason,omitempty"`
	Strategy   Strategy         `json:"strategy"`
	Current    []string         `json:"current,omitempty"` // PatchInstance workflow ids under way
	Now        []InstanceNow    `json:"now,omitempty"`     // what those under way are doing
	Failing    []FailingUndo    `json:"failing_undos,omitempty"`
	Instances  []InstanceResult `json:"instances"`          // in order; not_started until each has ended
	Gaps       []Gap            `json:"gaps,omitempty"`     // members that were not reached, once all others were
	LeftOut    []Gap            `json:"left_out,omitempty"` // members that are excluded, or not taken by this wave
	Notes      []string         `json:"notes,omitempty"`
	StaleImage string           `json:"stale_image,omitempty"` // see NextImage.Stale
	Image      *ImageRenewal    `json:"image,omitempty"`       // nil: it was not to be renewed, or is not yet
	Stranded   []Stranded       `json:"stranded,omitempty"`
}

// InstanceStatus is an instance's whole state; the query `status` of PatchInstance answers with it.
type InstanceStatus struct {
	ID      string         `json:"id"`
	Step    Step           `json:"step"`
	Since   time.Time      `json:"since"`
	Undoing bool           `json:"undoing"`
	Failing *FailingUndo   `json:"failing_undo,omitempty"`
	Result  InstanceResult `json:"result"`
}

// Step names a step of one instance's saga for people.
type Step string

// Told is the step in a person's words.
func (s Step) Told(undoing bool) string {
	if undoing {
		return "putting back: " + string(s)
	}
	return string(s)
}

// The steps of one instance.
const (
	StepPreflight  Step = "preflight"
	StepScan       Step = "scan"
	StepMark       Step = "journal"
	StepSuspend    Step = "suspend processes"
	StepStandby    Step = "standby"
	StepSnapshot   Step = "snapshot"
	StepInstall    Step = "install"
	StepReboot     Step = "reboot"
	StepVerify     Step = "verify"
	StepReturn     Step = "return to service"
	StepHealth     Step = "health checks"
	StepBake       Step = "bake"
	StepFinish     Step = "finish"
	StepRestore    Step = "restore"
	StepQuarantine Step = "quarantine"
	StepIsolate    Step = "isolate"
	StepRelease    Step = "release"
	StepStart      Step = "start" // of one that was stopped
	StepStop       Step = "stop again"
	StepTerminate  Step = "terminate"
	StepImage      Step = "image" // of a group: its image is renewed, or its launch template put back
	StepRoom       Step = "room"  // of a group: what was raised or launched for it, and its mark
	StepEnded      Step = "ended"
)
