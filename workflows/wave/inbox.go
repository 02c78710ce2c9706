package wave

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// VerbAccepted answers a verb: it is recorded, and the wave acts on it next.
type VerbAccepted struct {
	Verb  patch.Verb      `json:"verb"`
	State patch.WaveState `json:"state"`
}

// answer sets the status query, the verbs and the groups' reports up.
func (w *wave) answer(ctx workflow.Context) error {
	if err := answerStatus(ctx, &w.status, "Where the wave stands, what it waits for, and which verbs it takes"); err != nil {
		return err
	}
	for _, verb := range patch.Verbs() {
		if err := w.take(ctx, verb, verb.Help()); err != nil {
			return err
		}
	}
	w.follow(ctx)
	reports := workflow.GetSignalChannelWithOptions(ctx, names.SignalGroupReport, workflow.SignalChannelOptions{Description: "A group's counts; for groups only"})
	workflow.Go(ctx, func(c workflow.Context) {
		clean, _ := workflow.NewDisconnectedContext(c)
		for {
			var counts patch.GroupCounts
			reports.Receive(clean, &counts)
			w.heard(clean, counts)
		}
	})
	return nil
}

// answerStatus answers the query status.
func answerStatus(ctx workflow.Context, status *patch.WaveStatus, description string) error {
	return workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus,
		func() (patch.WaveStatus, error) { return *status, nil },
		workflow.QueryHandlerOptions{Description: description})
}

// take registers one verb: it validates, records the decision and returns; the main loop does the work.
func (w *wave) take(ctx workflow.Context, verb patch.Verb, help string) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, string(verb), func(ctx workflow.Context, request VerbRequest) (VerbAccepted, error) {
		decision := w.decisionOf(ctx, verb, request)
		if w.repeats(ctx, decision) {
			return VerbAccepted{Verb: verb, State: w.status.State}, nil
		}
		w.status.Decisions = append(w.status.Decisions, decision)
		switch verb {
		case patch.Pause:
			w.paused = &decision
		case patch.Resume:
			if w.parked == nil && !w.parking {
				w.paused, w.resumed = nil, &decision
				break
			}
			w.decision, w.status.Verbs = &decision, nil
		case patch.SetConcurrency:
			w.parallel[decision.Stage] = request.MaxParallelGroups
		case patch.ExtendWindow:
			w.extend(ctx, request.Until)
		default:
			w.decision = &decision
			// Until the main loop has acted, a second verb would race the first: take none.
			w.status.Verbs = nil
		}
		w.news++
		return VerbAccepted{Verb: verb, State: w.status.State}, nil
	}, workflow.UpdateHandlerOptions{
		Description: help,
		Validator: func(ctx workflow.Context, request VerbRequest) error {
			if err := request.Validate(verb); err != nil {
				return err
			}
			if w.repeats(ctx, w.decisionOf(ctx, verb, request)) {
				return nil
			}
			if w.decision != nil {
				return fmt.Errorf("%s by %s is being carried out; ask for status, then decide again", w.decision.Verb, w.decision.Actor)
			}
			if len(w.status.Verbs) == 0 && verb.Answers() {
				return fmt.Errorf("what was decided last is being carried out; ask for status, then decide again")
			}
			if err := w.verbAllowed(ctx, verb); err != nil {
				return err
			}
			return w.mayTake(ctx, verb, request)
		},
	})
}

func (w *wave) decisionOf(ctx workflow.Context, verb patch.Verb, request VerbRequest) patch.Decision {
	decision := request.decision(verb)
	decision.Stage, decision.At = w.status.Stage, workflow.Now(ctx)
	return decision
}

// repeats tells a verb that was taken already and is sent again, which the state it led to would refuse. A verb that the state
// takes is a decision of its own: retry may be sent twice for two failures.
func (w *wave) repeats(ctx workflow.Context, decision patch.Decision) bool {
	if w.parked != nil && w.parked.Standing != nil && patch.Repeats([]patch.Decision{*w.parked.Standing}, decision) {
		return true
	}
	carriedOut := len(w.status.Verbs) == 0 && decision.Verb.Answers()
	taken := w.decision == nil && !carriedOut && w.verbAllowed(ctx, decision.Verb) == nil
	return !taken && patch.Repeats(w.status.Decisions, decision)
}

// mayTake refuses what the state would take and the plan does not.
func (w *wave) mayTake(ctx workflow.Context, verb patch.Verb, request VerbRequest) error {
	stage := w.stage(w.status.Stage)
	switch verb {
	case patch.Approve:
		return patch.FourEyes(stage, w.request.Actor, request.Actor)
	case patch.SetConcurrency:
		if stage.Service != "" && request.MaxParallelGroups > 1 {
			return fmt.Errorf("the groups of stage %s are one service, %s: they are taken one instance at a time in all", stage.Name, stage.Service)
		}
	case patch.ExtendWindow:
		until, err := time.Parse(time.RFC3339, request.Until)
		if err == nil {
			_, err = w.plan.Window.Extended(until, workflow.Now(ctx))
		}
		return err
	}
	return nil
}

// extend lets the window close later; the main loop tells the groups that are at work, and every later order brings it.
func (w *wave) extend(ctx workflow.Context, until string) {
	// The validator has parsed and judged both; an error leaves the window as it is.
	if moment, err := time.Parse(time.RFC3339, until); err == nil {
		if window, err := w.plan.Window.Extended(moment, workflow.Now(ctx)); err == nil {
			if w.parked != nil {
				w.parked.Extend(w.plan.Window, window)
			}
			w.plan.Window, w.status.Window, w.window = window, window, true
		}
	}
}

// verbAllowed refuses a verb that the wave does not take as it stands.
func (w *wave) verbAllowed(ctx workflow.Context, verb patch.Verb) error {
	err := patch.VerbAllowed(verb, w.status.State, w.verbsIn(w.status.State))
	if err != nil && w.status.State == patch.StateParked && w.parked != nil && w.parked.Standing != nil {
		standing := w.parked.Standing
		if w.parked.Tries > 0 {
			return fmt.Errorf("%w; %s %s", err, standing.Verb.By(*standing), w.parked.Tells(workflow.Now(ctx)))
		}
		return fmt.Errorf("%w; %s acts when the window opens at %s", err, standing.Verb.By(*standing), standing.Acts.Format(time.RFC3339))
	}
	return err
}

func (w *wave) verbsIn(state patch.WaveState) []patch.Verb {
	if state == patch.StateParked && w.parked != nil && w.parked.Standing != nil {
		return patch.VerbsParked(w.parked.Standing.Verb)
	}
	return patch.VerbsIn(state, w.plan.Window != nil)
}

// stage is a stage of the plan by its name; an empty one when there is none.
func (w *wave) stage(name string) patch.Stage {
	for _, stage := range w.plan.Stages {
		if stage.Name == name {
			return stage
		}
	}
	return patch.Stage{}
}

// takeDecision returns the decision that waits, once.
func (w *wave) takeDecision() *patch.Decision {
	decision := w.decision
	w.decision = nil
	return decision
}
