package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verb is what an operator may tell a wave.
type Verb string

// The operators' verbs. What each needs, does and says stands in the table below.
const (
	Approve        Verb = "approve"
	Reject         Verb = "reject"
	Pause          Verb = "pause"
	Resume         Verb = "resume"
	Retry          Verb = "retry"
	Skip           Verb = "skip"
	RollBack       Verb = "roll_back"
	Abort          Verb = "abort"
	SetConcurrency Verb = "set_concurrency"
	ExtendWindow   Verb = "extend_window"
)

// VerbSpec is all that a verb needs, does and says. The Temporal UI, the command line, the watch screen, notices and
// the wave itself range over these values, so that a verb is added in one place.
type VerbSpec struct {
	Verb   Verb
	Short  string // what it does, as its command and the watch screen say it
	More   string // a sentence more for who has the room; may be empty
	Notice string // when to send it, as a notice says it beside the command
	Reason string // an example of a reason
	// Key is its key on the watch screen. What cannot be taken back has a capital: no slip of a finger opens it.
	Key string

	States   []WaveState // in which it is taken
	Windowed bool        // only where the plan has a window
	Answers  bool        // it answers a hold or a gate, once
	About    About       // what it is about, whatever a state makes of it: see AboutIn
	GoesOn   bool        // it lets a wave go on that waits for a person
	Tunes    bool        // it changes how the wave goes on, and decides nothing
	// TakesBack is a verb that a parked wave has taken and not acted on yet, which this one replaces.
	TakesBack Verb
	Fields    []VerbField // what it takes beside who and why
	Blames    bool        // it may say which packages are to blame, which are blocked then
}

// While a wave patches, or waits for a person or a window.
var underWay = []WaveState{StateAwaitingApproval, StateRunning, StatePaused, StateOnHold, StateParked}

// Likewise, or while a stage soaks, where there is no group to work on.
var underWayOrSoaking = append([]WaveState{StateSoaking}, underWay...)

// verbs is the table of verbs, in the order in which people read them.
var verbs = []VerbSpec{
	{
		Verb: Approve, Key: "a", States: []WaveState{StateAwaitingApproval}, Answers: true, GoesOn: true, About: AboutHold,
		Short:  "Let the stage that waits for approval begin",
		Notice: "to let the stage begin", Reason: "staging looks well",
	},
	{
		Verb: Reject, Key: "x", States: []WaveState{StateAwaitingApproval}, Answers: true, TakesBack: Approve,
		About:  AboutHold,
		Short:  "Refuse the stage that waits for approval: the wave ends",
		More:   "Nothing of that stage was touched",
		Notice: "to end the wave, with nothing of the stage touched", Reason: "release tonight",
	},
	{
		Verb: Pause, Key: "p", States: []WaveState{StateRunning}, About: AboutWave,
		Short:  "Begin no further instance until resume; one under way ends first",
		More:   "Nothing stays suspended or out of service",
		Notice: "to begin nothing more for now", Reason: "errors since the patch, looking",
	},
	{
		Verb: Resume, Key: "r", States: []WaveState{StatePaused, StateSoaking, StateParked}, GoesOn: true, About: AboutHold,
		Short:  "Go on after a pause; or, parked, when the next window is open",
		More:   "Of a wave that soaks it ends the soak early",
		Notice: "to patch the rest in the next window", Reason: "it was the deployment",
	},
	{
		Verb: Retry, Key: "t", States: []WaveState{StateOnHold}, Answers: true, GoesOn: true, About: AboutHold,
		Short:  "Try the failed instances again, then go on",
		Notice: "if what failed has passed", Reason: "the repository was away, it is back",
	},
	{
		Verb: Skip, Key: "s", States: []WaveState{StateOnHold}, Answers: true, GoesOn: true, About: AboutHold,
		Short:  "Leave the failed instances as they are (put back) and go on with the others",
		Notice: "if that machine is odd and the patch is well", Reason: "that machine is odd, the patch is well",
		Blames: true,
	},
	{
		Verb: RollBack, Key: "B", States: []WaveState{StateRunning, StatePaused, StateOnHold, StateSoaking, StateParked},
		Short:  "Put back every instance that the stage (or, with scope wave, the wave) patched",
		More:   "One under way is put back or, once proven, finished first",
		Notice: "if the patch is bad: puts back what the stage patched", Reason: "the new openssl breaks logins",
		Fields: []VerbField{scopeField}, About: AboutStage, Blames: true,
	},
	{
		Verb: Abort, Key: "A", About: AboutWave,
		// While things are put back it gives up on what cannot be.
		States: append([]WaveState{StatePreflight, StateRollingBack, StateAborting}, underWayOrSoaking...),
		Short:  "Stop: what runs is put back or, once proven, finished; nothing else is started",
		More:   "Sent again while things are put back: give up on what cannot be, and report it",
		Notice: "to stop here", Reason: "not sure, stop here", Blames: true,
	},
	{
		Verb: SetConcurrency, Key: "c", States: underWay, Tunes: true,
		Short:  "Change how many groups of the current stage are worked on at once",
		More:   "Running ones are let end when it is lowered",
		Notice: "to work on more or fewer groups at once", Reason: "the fleet is quiet",
		Fields: []VerbField{groupsField}, About: AboutStage,
	},
	{
		Verb: ExtendWindow, Key: "w", States: underWayOrSoaking, Tunes: true, Windowed: true,
		Short:  "Let the wave's window close later",
		More:   "Its cutoff keeps its distance from its end",
		Notice: "if the window is too short for the rest", Reason: "two instances are left",
		Fields: []VerbField{untilField}, About: AboutWave,
	},
}

// Verbs lists every verb, in the order in which people read them.
func Verbs() []Verb {
	all := make([]Verb, len(verbs))
	for i, spec := range verbs {
		all[i] = spec.Verb
	}
	return all
}

// Spec is the verb's row of the table; an unknown verb has one that is taken in no state.
func (v Verb) Spec() VerbSpec {
	for _, spec := range verbs {
		if spec.Verb == v {
			return spec
		}
	}
	return VerbSpec{Verb: v}
}

// Help is all that is said of what the verb does and needs, as the Temporal UI shows it beside the Update.
func (v Verb) Help() string {
	spec := v.Spec()
	if spec.Short == "" {
		return ""
	}
	said := []string{spec.Short}
	if spec.More != "" {
		said = append(said, spec.More)
	}
	for _, field := range spec.Fields {
		takes := "It may have "
		if field.Needed {
			takes = "It needs "
		}
		said = append(said, takes+field.Name+", such as "+field.Example)
	}
	if spec.Blames {
		said = append(said, "With blame, names of packages or all, what failed instances got of them is blocked")
	}
	said = append(said, "stage and hold say what it is for, as the wave's page shows them; it is refused where the wave "+
		"stands elsewhere by then")
	return strings.Join(said, ". ")
}

// Command is its command's name below `patchtide wave`.
func (v Verb) Command() string { return strings.ReplaceAll(string(v), "_", "-") }

// Decides reports whether it answers what a wave asks, and does not only change how it goes on.
func (v Verb) Decides() bool { return !v.Spec().Tunes }

// Answers reports whether it answers a hold or a gate, which takes one answer.
func (v Verb) Answers() bool { return v.Spec().Answers }

// By says who sent the verb and why.
func (v Verb) By(d Decision) string {
	return fmt.Sprintf("%s by %s (%s)", v.Words(), d.Actor, d.Reason)
}

// Told says what was decided, by whom, why and when.
func (d Decision) Told() string {
	return fmt.Sprintf("%s by %s (%s) at %s", d.What(), d.Actor, d.Reason, d.At.UTC().Format(time.TimeOnly+" UTC"))
}

// What is what was decided, with what came with the verb: "extend window until 2026-11-22T06:00:00+09:00".
func (d Decision) What() string {
	what := d.Verb.Words()
	switch {
	case d.Scope != "":
		what += " of the " + string(d.Scope)
	case d.MaxParallelGroups > 0:
		what += fmt.Sprintf(" to %d", d.MaxParallelGroups)
	case d.Until != "":
		what += " until " + d.Until
	}
	if d.Blame != "" {
		what += ", which blames " + d.Blame
	}
	return what
}

// VerbsIn lists the verbs that a wave in that state takes.
func VerbsIn(state WaveState, windowed bool) []Verb {
	return taken(func(spec VerbSpec) bool {
		return slices.Contains(spec.States, state) && (windowed || !spec.Windowed)
	})
}

// AtOnce refuses that so many groups of the stage are patched at once: those of one service never are. One is what a
// service has anyway, and is taken from whoever asks for less.
func (s Stage) AtOnce(groups int) error {
	if s.Service != "" && groups > 1 {
		return fmt.Errorf("the groups of stage %s are one service, %s: they are taken one group at a time",
			s.Name, s.Service)
	}
	return nil
}

// Offered are those of the verbs that people are offered in the stage: of what it would take, the ones that can change
// something.
func (s Stage) Offered(verbs []Verb) []Verb {
	return slices.DeleteFunc(slices.Clone(verbs), func(verb Verb) bool {
		return verb == SetConcurrency && s.AtOnce(2) != nil
	})
}

// VerbsParked lists the verbs that a parked wave takes, by the one that stands; "" when none does. An approval that has
// not acted yet may still be taken back.
func VerbsParked(standing Verb) []Verb {
	if standing == "" {
		return VerbsIn(StateParked, true)
	}
	return taken(func(spec VerbSpec) bool {
		return slices.Contains(spec.States, StateParked) && !spec.GoesOn || spec.TakesBack == standing
	})
}

func taken(in func(VerbSpec) bool) []Verb {
	var list []Verb
	for _, spec := range verbs {
		if in(spec) {
			list = append(list, spec.Verb)
		}
	}
	return list
}

// VerbAllowed refuses a verb that is none of those that a wave in that state takes now, and names those.
func VerbAllowed(verb Verb, state WaveState, allowed []Verb) error {
	if slices.Contains(allowed, verb) {
		return nil
	}
	if len(allowed) == 0 {
		return fmt.Errorf("the wave is %s and takes no verbs now", state.Words())
	}
	takes := make([]string, len(allowed))
	for i, v := range allowed {
		takes[i] = string(v)
	}
	then := ""
	switch {
	case verb == RollBack && slices.Contains(allowed, Reject):
		then = "; to put back what the stages before have patched, reject it, and roll the wave back once it has closed"
	case verb == Pause && state == StateRollingBack:
		then = "; nothing holds what is put back: it goes on, one instance after the other, until each is. An abort gives " +
			"up on what cannot be put back, and on nothing else"
	case verb == Pause && (state == StateResolving || state == StatePreflight):
		then = "; it begins by itself once that is done, and takes it then. To keep it from beginning: patchtide freeze"
	case verb == Pause && state != StateClosed:
		then = "; nothing of it begins as it stands. What holds it whatever is answered: patchtide freeze"
	}
	return fmt.Errorf("the wave is %s: it takes %s, not %s%s", state.Words(), strings.Join(takes, ", "), verb, then)
}

// Unwindowed is why a wave without a window does not take the verb: another state would not take it either.
func (v Verb) Unwindowed(refused error) error {
	if !v.Spec().Windowed {
		return refused
	}
	return fmt.Errorf("the wave has no window now: nothing of it closes, and %s has nothing to change", v.Command())
}

// Asks reports whether a wave waits for a person: it takes a verb that lets it go on. While a decision is carried out
// it takes none, in whatever state it still is, and a parked one that was told to go on waits for its window only. One
// that soaks goes on by itself.
func (s WaveStatus) Asks() bool {
	return s.State != StateSoaking && slices.ContainsFunc(s.Verbs, func(v Verb) bool { return v.Spec().GoesOn })
}
