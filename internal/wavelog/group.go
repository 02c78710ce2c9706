package wavelog

import (
	"path"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/patchtide/patchtide/internal/patch"
)

// groupTeller understands the history of one run of a PatchGroup. Its phases it has told its wave.
type groupTeller struct {
	group    string
	putsBack map[int64]bool // whether the child puts its instance back, by the id of the event that asked for it
	images   imageTeller
}

func newGroupTeller() *groupTeller { return &groupTeller{putsBack: map[int64]bool{}} }

func (g *groupTeller) tell(event *historypb.HistoryEvent) (told []Event, found []child) {
	if started := event.GetWorkflowExecutionStartedEventAttributes(); started != nil {
		input := decoded[struct{ Group patch.Group }](started.GetInput())
		g.group = input.Group.String()
	}
	if asked := event.GetStartChildWorkflowExecutionInitiatedEventAttributes(); asked != nil {
		input := decoded[struct{ PutBack *struct{} }](asked.GetInput())
		g.putsBack[event.GetEventId()] = input.PutBack != nil
	}
	if begun := event.GetChildWorkflowExecutionStartedEventAttributes(); begun != nil && isOurs(
		begun.GetWorkflowType().GetName(),
	) {
		what := "begins"
		if g.putsBack[begun.GetInitiatedEventId()] {
			what = "is being put back"
		}
		return []Event{g.of(begun.GetWorkflowExecution(), what)}, []child{{begun.GetWorkflowExecution(), &instanceTeller{}}}
	}
	if again := event.GetWorkflowExecutionContinuedAsNewEventAttributes(); again != nil {
		return nil, []child{{&commonpb.WorkflowExecution{RunId: again.GetNewExecutionRunId()}, newGroupTeller()}}
	}
	if told = append(g.images.tell(event), g.renewal(event)...); len(told) > 0 {
		return told, nil
	}
	return g.instanceEnded(event), nil
}

// instanceEnded tells the result of an instance, or how its workflow ended without one.
func (g *groupTeller) instanceEnded(event *historypb.HistoryEvent) []Event {
	lost := func(execution *commonpb.WorkflowExecution, what, reason string) []Event {
		told := g.of(execution, what)
		told.Outcome, told.Reason = patch.Failed, reason
		return []Event{told}
	}
	if completed := event.GetChildWorkflowExecutionCompletedEventAttributes(); completed != nil && isOurs(
		completed.GetWorkflowType().GetName(),
	) {
		result := decoded[patch.InstanceResult](completed.GetResult())
		told := g.of(completed.GetWorkflowExecution(), result.Outcome.Words())
		told.Outcome, told.Reason = result.Outcome, result.Reason
		events := []Event{told}
		for _, left := range result.Stranded {
			stranded := g.of(completed.GetWorkflowExecution(), "stranded: "+left.Resource)
			stranded.Reason = left.State + ". " + left.WhatToDo
			events = append(events, stranded)
		}
		return events
	}
	if failed := event.GetChildWorkflowExecutionFailedEventAttributes(); isOurs(failed.GetWorkflowType().GetName()) {
		return lost(failed.GetWorkflowExecution(), "its workflow failed", cause(failed.GetFailure()))
	}
	if terminated := event.GetChildWorkflowExecutionTerminatedEventAttributes(); isOurs(
		terminated.GetWorkflowType().GetName(),
	) {
		return lost(terminated.GetWorkflowExecution(), "its workflow was terminated", "")
	}
	if late := event.GetChildWorkflowExecutionTimedOutEventAttributes(); isOurs(late.GetWorkflowType().GetName()) {
		return lost(late.GetWorkflowExecution(), "its workflow timed out", "")
	}
	return nil
}

// of is an event of an instance, whose lock ends in its id.
func (g *groupTeller) of(execution *commonpb.WorkflowExecution, what string) Event {
	return Event{Kind: OfInstance, Group: g.group, Instance: path.Base(execution.GetWorkflowId()), What: what}
}
