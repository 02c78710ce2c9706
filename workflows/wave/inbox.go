package wave

import (
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// inbox is what people said and the wave has not carried out, or heeds from now on.
type inbox struct {
	decision *patch.Decision // the last verb not yet acted on
	blaming  *patch.Decision // a verb that is taken once what it blames is blocked
	paused   *patch.Decision // a person's pause, until resume; it outlives holds and gates
	resumed  *patch.Decision // the last resume after a pause
	parallel map[string]int  // set_concurrency, by stage
	extended bool            // the window was: every order brings it
	told     *patch.Window   // the extended window that running groups have heard of

	offered map[patch.Verb][]patch.Point // where the wave has taken each verb so far
}

// offer notes that the wave takes verbs at a point.
func (i *inbox) offer(verbs []patch.Verb, at patch.Point) {
	if i.offered == nil {
		i.offered = map[patch.Verb][]patch.Point{}
	}
	for _, verb := range verbs {
		if !slices.Contains(i.offered[verb], at) {
			i.offered[verb] = append(i.offered[verb], at)
		}
	}
}

// verb is the one that waits to be acted on; "": none does.
func (i *inbox) verb() patch.Verb {
	if i.decision == nil {
		return ""
	}
	return i.decision.Verb
}

// aborts reports whether abort waits to be acted on.
func (i *inbox) aborts() bool { return i.verb() == patch.Abort }

// take returns the decision that waits, once; nil: none does.
func (i *inbox) take() *patch.Decision {
	decision := i.decision
	i.decision = nil
	return decision
}

// limit takes how many groups of a stage may be worked on at once.
func (i *inbox) limit(stage string, groups int) {
	if i.parallel == nil {
		i.parallel = map[string]int{}
	}
	i.parallel[stage] = groups
}

// resumedOutside is the verb that let a paused wave go on when the window had ended already: it acts when the next one
// opens.
func (w *wave) resumedOutside() *patch.Decision {
	resumed := w.inbox.resumed
	if resumed == nil {
		return nil
	}
	if open, _ := w.plan.Window.Open(resumed.At); open {
		return nil
	}
	return resumed
}

// extend lets the window close later; the main loop tells the groups that are at work, and every later order brings it.
func (w *wave) extend(now time.Time, until string) {
	// The validator has parsed and judged both; an error leaves the window as it is.
	moment, err := time.Parse(time.RFC3339, until)
	if err != nil {
		return
	}
	window, err := w.plan.Extended(moment, now)
	if err != nil {
		return
	}
	if w.parking.wait != nil {
		w.parking.wait.Extend(w.plan.Window, window)
		w.parking.extended = true
	}
	w.plan.Window, w.status.Window, w.inbox.extended = window, window, true
}

// currentStage is the stage under way; an empty one when there is none.
func (w *wave) currentStage() patch.Stage {
	at := slices.IndexFunc(w.plan.Stages, func(stage patch.Stage) bool { return stage.Name == w.status.Stage })
	if at < 0 {
		return patch.Stage{}
	}
	stage := w.plan.Stages[at]
	if w.turn.approval != nil {
		stage.Approval = w.turn.approval
	}
	return stage
}
