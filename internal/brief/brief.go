// Package brief is what a person is told who has to decide about a wave: what by when happens by itself, what may be
// sent, when to send it, what it does to how many instances, and the exact command. It is made here once, and drawn by
// notices, `wave show`, the watch screen and the Temporal UI, so that none of them says another thing.
package brief

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// Wave is a wave as far as somebody has to decide about it. A status and a notice both tell it.
type Wave struct {
	ID    string
	State patch.WaveState // "": not known, as of a notice
	Point patch.Point
	Verbs []patch.Verb
	NotBy string // from whom it takes no approval
	// Otherwise is what is decided by itself at Until; without one nothing is, ever.
	Otherwise patch.Verb
	Until     *time.Time
	Cutoff    *time.Time    // of its window; nil: it may go on at any time
	Frozen    patch.Freezes // as far as they hold it
	RollsBack patch.RollsBack
	UnderWay  int             // instances that are at work now, whatever comes of it
	Failed    []patch.Outcome // what became of those that failed, where it is on hold
	Unfit     []string        // the ids of those that it has quarantined
}

// Of is a wave by its status.
func Of(status patch.WaveStatus) Wave {
	w := Wave{
		ID: status.WaveID, State: status.State, Point: status.Point(), Verbs: status.Verbs, Otherwise: status.Otherwise,
		NotBy: status.NotBy,
		Until: status.Until, RollsBack: status.RollsBack,
	}
	w.saysOnce(status.Awaiting)
	if status.Window != nil {
		w.Cutoff = &status.Window.Cutoff
	}
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			w.UnderWay += len(group.Now)
			for _, failed := range group.Failed {
				if group.Phase == patch.GroupHeld {
					w.Failed = append(w.Failed, failed.Outcome)
				}
				w.keepUnfit(failed.ID, failed.Outcome)
			}
		}
	}
	return w
}

// Told is a wave by a notice.
func Told(n patch.Notice) Wave {
	w := Wave{
		ID: n.WaveID, Point: patch.Point{Stage: n.Stage, Hold: n.Hold}, Verbs: n.Verbs, Otherwise: n.Otherwise,
		NotBy: n.NotBy,
		Until: n.Until, Cutoff: n.Cutoff, RollsBack: n.RollsBack,
	}
	w.saysOnce(n.Why)
	switch n.Kind {
	case patch.NoticeSoaking:
		w.State = patch.StateSoaking
	case patch.NoticeOnHold:
		w.State = patch.StateOnHold
		for _, failed := range n.Instances {
			w.Failed = append(w.Failed, failed.Outcome)
		}
	}
	for _, failed := range n.Instances {
		w.keepUnfit(failed.ID, failed.Outcome)
	}
	return w
}

// saysOnce keeps from the choices what is said already where they are offered.
func (w *Wave) saysOnce(asked string) {
	if strings.Contains(asked, w.RollsBack.Loses) {
		w.RollsBack.Loses = ""
	}
}

func (w *Wave) keepUnfit(id string, outcome patch.Outcome) {
	if outcome == patch.Quarantined {
		w.Unfit = append(w.Unfit, id)
	}
}

// mostNamed is how many instances a sentence names.
const mostNamed = 5

// Quarantine says who is quarantined and how that ends; "" where nobody is.
func (w Wave) Quarantine() string {
	if len(w.Unfit) == 0 {
		return ""
	}
	named := strings.Join(w.Unfit[:min(len(w.Unfit), mostNamed)], ", ")
	if more := len(w.Unfit) - mostNamed; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	if w.State == patch.StateClosed { // somebody may have ended it since
		return "Quarantined when it closed: " + named + ". Who still is: patchtide quarantine list; any other was " +
			"released or terminated since"
	}
	return "Quarantined, out of its group: " + named +
		". Why, and until when: patchtide quarantine list"
}

// Choice is a verb that may be sent now.
type Choice struct {
	Verb    patch.Verb `json:"verb"`
	When    string     `json:"when"`    // to send it, and what it does then
	Command string     `json:"command"` // with dots for what a person has to fill in
}

// Choices are the verbs that the wave takes.
func (w Wave) Choices() []Choice {
	choices := make([]Choice, 0, len(w.Verbs))
	for _, verb := range w.Verbs {
		flags := verb.ToFill(w.Point)
		if scope := w.Scope(); verb == patch.RollBack && scope != patch.ScopeStage {
			flags = append([]string{"--scope", string(scope)}, flags...)
		}
		choices = append(choices, Choice{verb, w.when(verb), names.VerbCommand(verb, w.ID, flags...)})
	}
	return choices
}

// when is when to send the verb, and what keeps it from having an effect.
func (w Wave) when(verb patch.Verb) string {
	said := w.whenFree(verb)
	if len(w.Frozen) > 0 && verb.Spec().GoesOn {
		said += "; nothing begins before the freeze is lifted"
	}
	return said
}

// whenFree is when to send the verb where nothing is frozen.
func (w Wave) whenFree(verb patch.Verb) string {
	said := verb.Spec().Notice
	switch {
	case verb == patch.Approve && w.NotBy != "":
		return said + ", by somebody other than " + w.NotBy + ", who started the wave"
	case verb == patch.Resume && w.State == patch.StatePaused:
		return "to go on at once"
	case verb == patch.Resume && w.State == patch.StateSoaking:
		return "to go on without the rest of the soak"
	case verb == patch.RollBack && w.RollsBack.WhyNot != "":
		why, _, _ := strings.Cut(said, ": ")
		return why + ": " + w.nothingBack()
	case verb == patch.RollBack && w.stagesBefore():
		why, _, _ := strings.Cut(said, ": ")
		return why + ": this stage has patched nothing; puts back what the stages before it patched: " + w.scopes()
	case verb == patch.RollBack:
		return said + ": " + w.scopes()
	case verb == patch.Abort && verb.AboutIn(w.State) == patch.AboutHold:
		return "to give up on what cannot be put back: it stays as it is, and is reported"
	case verb == patch.Abort:
		return said + w.stays()
	case (verb == patch.Retry || verb == patch.Skip) && w.beyondRetry():
		return beyondRetry
	}
	return said
}

// stagesBefore reports whether a roll back of the present stage would put back nothing, and one of the wave something:
// then that is the command.
func (w Wave) stagesBefore() bool { return w.RollsBack.Stage+w.UnderWay == 0 && w.RollsBack.Wave > 0 }

// Scope is what a roll back is of as long as nobody says otherwise: the stage, unless that would put back nothing, and
// the wave something.
func (w Wave) Scope() patch.Scope {
	if w.stagesBefore() {
		return patch.ScopeWave
	}
	return patch.ScopeStage
}

// scopes are how many instances a roll back puts back, and what each of them loses.
func (w Wave) scopes() string {
	if w.stagesBefore() {
		return strings.TrimSuffix(counted(w.RollsBack.Wave)+"; "+w.RollsBack.Loses, "; ")
	}
	said := counted(w.RollsBack.Stage)
	if w.UnderWay > 0 {
		said += fmt.Sprintf(", and %s under way", counted(w.UnderWay))
	}
	if w.RollsBack.Stage != w.RollsBack.Wave {
		said += ", or with --scope wave " + counted(w.RollsBack.Wave) + " of this stage and those before it"
	}
	if w.RollsBack.Loses != "" {
		said += "; " + w.RollsBack.Loses
	}
	return said
}

// nothingBack says that a roll back puts nothing back.
func (w Wave) nothingBack() string {
	said := w.RollsBack.Nothing(patch.ScopeWave)
	if w.UnderWay > 0 {
		said += fmt.Sprintf("; %s under way comes to its end first", counted(w.UnderWay))
	}
	return said
}

// stays is what an abort leaves as it is.
func (w Wave) stays() (said string) {
	switch patched := w.RollsBack.Wave + w.RollsBack.WaveStays; patched {
	case 0:
	case 1:
		said = ": 1 instance stays patched"
	default:
		said = fmt.Sprintf(": %d instances stay patched", patched)
	}
	switch {
	case w.UnderWay > 0 && w.RollsBack.WhyNot != "":
		said += fmt.Sprintf("; %s under way comes to its end first, and is not put back", counted(w.UnderWay))
	case w.UnderWay > 0:
		said += fmt.Sprintf("; %s under way is put back or, once proven, stays patched, too", counted(w.UnderWay))
	}
	return said
}

func counted(instances int) string {
	if instances == 0 {
		return "no instance"
	}
	return plain.Plural(instances, "instance")
}

// beyondRetry is what going on means where a quarantine stands.
const beyondRetry = "to go on with the others of this stage: what failed is quarantined and is not tried again, and " +
	"after this stage the wave ends failed"

// beyondRetry reports that nothing of what failed can be tried again.
func (w Wave) beyondRetry() bool {
	return len(w.Failed) > 0 && !slices.ContainsFunc(w.Failed, func(outcome patch.Outcome) bool {
		return outcome != patch.Quarantined
	})
}

// Silence says what is done by when if nobody answers; "" where nobody is asked. moment writes a time.
func (w Wave) Silence(moment func(time.Time) string) string {
	switch {
	case w.Until != nil:
		said := fmt.Sprintf("If nobody answers by %s, %s is done.", moment(*w.Until), w.Otherwise.Words())
		switch {
		case w.Otherwise != patch.RollBack:
		case w.RollsBack.WhyNot != "":
			said += " By it " + w.RollsBack.Nothing("") + "."
		default:
			said += " It puts back " + counted(w.RollsBack.Stage) + "."
		}
		return said
	case w.State == patch.StateParked: // what it asks says until when
	case (patch.WaveStatus{State: w.State, Verbs: w.Verbs}).Asks():
		return "It waits until somebody answers."
	}
	return ""
}
