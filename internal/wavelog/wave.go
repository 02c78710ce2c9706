package wavelog

import (
	"strings"
	"time"

	historypb "go.temporal.io/api/history/v1"
	updatepb "go.temporal.io/api/update/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// waveTeller understands the history of a PatchWave or a RollBackWave.
type waveTeller struct {
	state, stage string
	groups       map[string]patch.GroupCounts // as last reported, by group
	held         []string                     // why groups are held
	timers       map[int64]string             // what they decide when they fire, by the id of the event that started them
	accepted     map[int64]*updatepb.Input    // verbs, by the id of the event
	images       imageTeller
}

func newWaveTeller() *waveTeller {
	return &waveTeller{
		groups: map[string]patch.GroupCounts{}, timers: map[int64]string{}, accepted: map[int64]*updatepb.Input{},
	}
}

func (w *waveTeller) tell(event *historypb.HistoryEvent) (told []Event, found []child) {
	if started := event.GetWorkflowExecutionStartedEventAttributes(); started != nil {
		asked := decoded[struct{ Actor, Reason string }](started.GetInput())
		return []Event{{Kind: OfWave, What: "started", Actor: asked.Actor, Reason: asked.Reason}}, nil
	}
	if event.GetUpsertWorkflowSearchAttributesEventAttributes() != nil {
		return w.entered(event), nil
	}
	if accepted := event.GetWorkflowExecutionUpdateAcceptedEventAttributes(); accepted != nil {
		w.accepted[event.GetEventId()] = accepted.GetAcceptedRequest().GetInput()
		return nil, nil
	}
	if done := event.GetWorkflowExecutionUpdateCompletedEventAttributes(); done != nil {
		again := decoded[struct{ Already time.Time }](done.GetOutcome().GetSuccess())
		input := w.accepted[done.GetAcceptedEventId()]
		if input == nil || done.GetOutcome().GetFailure() != nil || !again.Already.IsZero() {
			return nil, nil // it was refused with what it blamed, or sent again: it decides nothing
		}
		return w.decided(input.GetName(), decoded[patch.Decision](input.GetArgs())), nil
	}
	if signal := event.GetWorkflowExecutionSignaledEventAttributes(); signal.GetSignalName() == names.SignalGroupReport {
		return w.heard(decoded[patch.GroupCounts](signal.GetInput())), nil
	}
	if event.GetTimerStartedEventAttributes() != nil {
		w.timers[event.GetEventId()] = summary(event)
	}
	if fired := event.GetTimerFiredEventAttributes(); fired != nil {
		if verb, decides := strings.CutSuffix(w.timers[fired.GetStartedEventId()], names.UnlessSomebodyDecides); decides {
			what := patch.Verb(verb).Words()
			return []Event{{Kind: OfPerson, Stage: w.stage, What: what, Reason: "nobody decided in time"}}, nil
		}
	}
	if cancel := event.GetWorkflowExecutionCancelRequestedEventAttributes(); cancel != nil {
		return []Event{
			{Kind: OfPerson, Stage: w.stage, What: "cancel", Actor: cancel.GetIdentity(), Reason: cancel.GetCause()},
		}, nil
	}
	if begun := event.GetChildWorkflowExecutionStartedEventAttributes(); begun != nil && isOurs(
		begun.GetWorkflowType().GetName(),
	) {
		return nil, []child{{begun.GetWorkflowExecution(), newGroupTeller()}}
	}
	if ended := event.GetChildWorkflowExecutionTerminatedEventAttributes(); ended != nil && isOurs(
		ended.GetWorkflowType().GetName(),
	) {
		return []Event{
			{Kind: OfGroup, Group: ended.GetWorkflowExecution().GetWorkflowId(), What: "terminated", Outcome: patch.Failed},
		}, nil
	}
	if told := w.images.tell(event); len(told) > 0 {
		return told, nil
	}
	return w.ended(event), nil
}

// entered tells a new state; the last one, closed, is told with the result.
func (w *waveTeller) entered(event *historypb.HistoryEvent) []Event {
	state, stage := attribute(event, names.AttributeState), attribute(event, names.AttributeStage)
	if state == "" || state == w.state && stage == w.stage {
		return nil
	}
	w.state, w.stage = state, stage
	told := Event{Kind: OfWave, Stage: stage, What: patch.WaveState(state).Words()}
	switch patch.WaveState(state) {
	case patch.StateClosed:
		return nil
	case patch.StateOnHold:
		told.Asks, told.Reason = true, strings.Join(w.held, "; ")
	case patch.StateAwaitingApproval, patch.StateParked:
		told.Asks = true
	}
	return []Event{told}
}

// decided tells a verb that was taken, with what came with it.
func (w *waveTeller) decided(verb string, decision patch.Decision) []Event {
	decision.Verb = patch.Verb(verb)
	return []Event{{Kind: OfPerson, Stage: w.stage, What: decision.What(), Actor: decision.Actor, Reason: decision.Reason}}
}

// heard tells a group's new phase; its counts alone are no news.
func (w *waveTeller) heard(counts patch.GroupCounts) []Event {
	before := w.groups[counts.Group]
	w.groups[counts.Group] = counts
	w.held = nil
	for _, group := range w.groups {
		if group.Phase == patch.GroupHeld {
			w.held = append(w.held, group.Group+" "+group.Reason)
		}
	}
	if counts.Phase == before.Phase && counts.Reason == before.Reason {
		return nil
	}
	return []Event{{Kind: OfGroup, Group: counts.Group, What: counts.Phase.Words(), Reason: counts.Reason}}
}

// ended tells how the wave's workflow ended.
func (w *waveTeller) ended(event *historypb.HistoryEvent) []Event {
	end := Event{Kind: OfWave, What: "closed", Outcome: patch.Failed}
	result := func(r patch.WaveResult) { end.Outcome, end.Reason = r.Outcome, r.Reason }
	switch {
	case event.GetWorkflowExecutionCompletedEventAttributes() != nil:
		result(decoded[patch.WaveResult](event.GetWorkflowExecutionCompletedEventAttributes().GetResult()))
	case event.GetWorkflowExecutionFailedEventAttributes() != nil:
		end.Reason = cause(event.GetWorkflowExecutionFailedEventAttributes().GetFailure())
	case event.GetWorkflowExecutionCanceledEventAttributes() != nil:
		result(decoded[patch.WaveResult](event.GetWorkflowExecutionCanceledEventAttributes().GetDetails()))
		end.What = "cancelled"
	case event.GetWorkflowExecutionTerminatedEventAttributes() != nil:
		terminated := event.GetWorkflowExecutionTerminatedEventAttributes()
		end.What, end.Actor, end.Reason = "terminated", terminated.GetIdentity(), terminated.GetReason()
	case event.GetWorkflowExecutionTimedOutEventAttributes() != nil:
		end.What = "timed out"
	default:
		return nil
	}
	if end.Outcome != "" && end.What == "closed" {
		end.What, end.Reason = end.Outcome.Words(), end.Outcome.Because(end.Reason)
	}
	return []Event{end}
}
