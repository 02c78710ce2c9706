package wave

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// VerbAccepted answers a verb: it is recorded, and the wave acts on it next.
type VerbAccepted struct {
	Verb  patch.Verb      `json:"verb"`
	State patch.WaveState `json:"state"`
	patch.Point
	PutsBack int `json:"puts_back,omitempty"` // how many patched instances a roll back puts back, beside one under way
	// NothingBack is why a roll back puts none of the patched ones back, and how many stay so; "": it does.
	NothingBack string `json:"nothing_back,omitempty"`
	// Already is when it was taken, of one that was sent again: nothing more is done.
	Already time.Time `json:"already,omitzero"`
}

// answer sets the status query, the verbs and the groups' reports up.
func (w *wave) answer(ctx workflow.Context) error {
	what := "Where the wave stands, what it waits for, and which verbs it takes"
	if err := answerStatus(ctx, &w.status, what); err != nil {
		return err
	}
	for _, verb := range patch.Verbs() {
		if err := w.take(ctx, verb, verb.Help()); err != nil {
			return err
		}
	}
	w.listen(ctx)
	return nil
}

// answerStatus answers the query status.
func answerStatus(ctx workflow.Context, status *patch.WaveStatus, description string) error {
	return workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus,
		func() (patch.WaveStatus, error) { return status.Fit(), nil },
		workflow.QueryHandlerOptions{Description: description})
}

// take registers one verb: it validates, records the decision and returns; the main loop does the work.
func (w *wave) take(ctx workflow.Context, verb patch.Verb, help string) error {
	handle := func(ctx workflow.Context, request VerbRequest) (VerbAccepted, error) {
		accepted := VerbAccepted{Verb: verb}
		if w.repeats(ctx, verb, request) {
			accepted.Already = w.lastOf(verb)
		} else {
			if verb == patch.RollBack {
				accepted.PutsBack = w.status.RollsBack.By(request.Scope)
				accepted.NothingBack = w.status.RollsBack.Nothing(request.Scope)
			}
			decision := w.decisionOf(ctx, verb, request)
			if err := w.blame(ctx, decision); err != nil {
				return VerbAccepted{}, err
			}
			w.status.Decisions = append(w.status.Decisions, decision)
			w.keep(ctx, &decision)
		}
		accepted.State, accepted.Point = w.status.State, w.status.Point()
		return accepted, nil
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, string(verb), handle, workflow.UpdateHandlerOptions{
		Description: help,
		Validator: func(ctx workflow.Context, request VerbRequest) error {
			if err := request.Validate(verb); err != nil {
				return err
			}
			return w.mayTake(ctx, verb, request)
		},
	})
}

// lastOf is when a verb was taken last.
func (w *wave) lastOf(verb patch.Verb) (at time.Time) {
	for _, decision := range w.status.Decisions {
		if decision.Verb == verb {
			at = decision.At
		}
	}
	return at
}

// keep puts a decision where it is heeded.
func (w *wave) keep(ctx workflow.Context, decision *patch.Decision) {
	switch {
	case decision.Verb == patch.Pause:
		w.inbox.paused = decision
	case decision.Verb == patch.Resume && !w.parking.under():
		w.inbox.paused, w.inbox.resumed = nil, decision
	case decision.Verb == patch.SetConcurrency:
		w.inbox.limit(decision.Stage, decision.MaxParallelGroups)
	case decision.Verb == patch.ExtendWindow:
		w.extend(workflow.Now(ctx), decision.Until)
		if w.status.State == patch.StateParked && w.parking.wait != nil {
			w.enterParked(ctx) // what resume does has changed
		}
	default:
		w.inbox.decision = decision
		// Until the main loop has acted, a second verb would race the first: take none.
		w.status.Verbs = nil
	}
}

func (w *wave) decisionOf(ctx workflow.Context, verb patch.Verb, request VerbRequest) patch.Decision {
	decision := request.decision(verb)
	decision.Point, decision.At = w.status.Point(), workflow.Now(ctx)
	return decision
}

// repeats reports whether a verb was taken already and is sent again, which the state it led to would refuse. A verb
// that the state takes is a decision of its own: retry may be sent twice for two failures.
func (w *wave) repeats(ctx workflow.Context, verb patch.Verb, request VerbRequest) bool {
	again := request.decision(verb)
	if again.Point == w.status.Point() {
		again.Point = patch.Point{} // whoever lost the answer looked anew, as the command does
	}
	if standing := w.parking.standing(); standing != nil && patch.Repeats([]patch.Decision{*standing}, again) {
		return true
	}
	carriedOut := len(w.status.Verbs) == 0 && verb.Answers()
	taken := w.inbox.decision == nil && !carriedOut && w.verbAllowed(ctx, verb) == nil && w.means(verb, request) == nil
	return !taken && patch.Repeats(w.status.Decisions, again)
}

// means refuses a verb that was meant for another point of the wave, or may have been.
func (w *wave) means(verb patch.Verb, request VerbRequest) error {
	return verb.Means(request.Point, w.status, w.inbox.offered[verb])
}

// mayTake refuses a verb that the wave does not take now: another is being carried out, its state does not, or its
// plan. Whoever answered the hold that it was for first is told with it.
func (w *wave) mayTake(ctx workflow.Context, verb patch.Verb, request VerbRequest) error {
	if w.repeats(ctx, verb, request) {
		return nil
	}
	if named := request.Point; named != (patch.Point{}) {
		if err := w.means(verb, request); err != nil {
			if taken := w.verbAllowed(ctx, verb); taken != nil {
				err = taken // no better aim would have it taken
			}
			return w.answeredBefore(request, err)
		}
	}
	if pending := cmp.Or(w.inbox.decision, w.inbox.blaming); pending != nil {
		return beingCarriedOut(pending)
	}
	if len(w.status.Verbs) == 0 && (verb.Answers() || w.isSecond(verb, request)) {
		return beingCarriedOut(w.answerOf(w.status.Hold))
	}
	if err := w.verbAllowed(ctx, verb); err != nil {
		return w.answeredBefore(request, err)
	}
	if err := w.means(verb, request); err != nil {
		return w.answeredBefore(request, err)
	}
	return w.planAllows(ctx, verb, request)
}

// isSecond reports whether a roll back, which is heard at any time, is meant for a hold that somebody has answered. A
// wave that lets everything go to park hears it, for that has not begun yet; and an abort is heard whatever was
// answered.
func (w *wave) isSecond(verb patch.Verb, request VerbRequest) bool {
	return verb == patch.RollBack && !w.parking.letting && w.answerOf(request.Hold) != nil
}

// beingCarriedOut refuses a second decision beside one; nil: nobody took that, as where a hold's time has passed.
func beingCarriedOut(decision *patch.Decision) error {
	what := "what was decided last"
	if decision != nil {
		what = decision.Told()
	}
	return fmt.Errorf("%s is being carried out; ask for status, then decide again", what)
}

// answeredBefore adds to why a verb is refused who answered the hold that it was for.
func (w *wave) answeredBefore(request VerbRequest, refused error) error {
	hold := request.Hold
	if hold == 0 {
		hold = w.status.Hold
	}
	if hold == w.status.Hold && w.status.Asks() {
		return refused // nobody has
	}
	answer := w.answerOf(hold)
	if answer != nil && (request.Hold != 0 || answer.Stage == w.status.Stage) {
		return fmt.Errorf("hold %d was answered: %s; %w", hold, answer.Told(), refused)
	}
	return refused
}

// answerOf is the last decision that was taken at a hold; nil: none was.
func (w *wave) answerOf(hold int) *patch.Decision {
	for i, decision := range slices.Backward(w.status.Decisions) {
		if hold > 0 && decision.Hold == hold && decision.Verb.Decides() && decision.Verb != patch.Pause {
			return &w.status.Decisions[i]
		}
	}
	return nil
}

// planAllows refuses what the state would take and the plan does not.
func (w *wave) planAllows(ctx workflow.Context, verb patch.Verb, request VerbRequest) error {
	switch verb {
	case patch.Approve:
		return patch.FourEyes(w.currentStage(), w.request.Actor, request.Actor)
	case patch.SetConcurrency:
		return w.currentStage().AtOnce(request.MaxParallelGroups)
	case patch.ExtendWindow:
		until, err := time.Parse(time.RFC3339, request.Until)
		if err == nil {
			_, err = w.plan.Extended(until, workflow.Now(ctx))
		}
		return err
	}
	return nil
}

// verbAllowed refuses a verb that the wave does not take as it stands.
func (w *wave) verbAllowed(ctx workflow.Context, verb patch.Verb) error {
	taken := w.verbsIn(w.status.State)
	if slices.Contains(taken, verb) {
		return nil
	}
	err := patch.VerbAllowed(verb, w.status.State, w.currentStage().Offered(taken))
	if w.plan.Window == nil {
		err = verb.Unwindowed(err)
	}
	standing := w.parking.standing()
	if w.status.State != patch.StateParked || standing == nil {
		return err
	}
	if w.parking.wait.Tries > 0 {
		return fmt.Errorf("%w; %s %s", err, standing.Verb.By(*standing), w.parking.wait.Tells(workflow.Now(ctx)))
	}
	return fmt.Errorf("%w; %s acts when the window opens at %s",
		err, standing.Verb.By(*standing), brief.UTC(standing.Acts))
}

func (w *wave) verbsIn(state patch.WaveState) []patch.Verb {
	if standing := w.parking.standing(); state == patch.StateParked && standing != nil {
		return slices.DeleteFunc(patch.VerbsParked(standing.Verb), func(verb patch.Verb) bool {
			return verb.Spec().Windowed && w.plan.Window == nil
		})
	}
	verbs := patch.VerbsIn(state, w.plan.Window != nil)
	if w.turn.binding {
		verbs = slices.DeleteFunc(verbs, func(verb patch.Verb) bool { return verb == patch.Skip || verb == patch.RollBack })
	}
	return verbs
}
