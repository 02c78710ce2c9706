package wavelog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/patch"
)

// A history holds what people sent as they sent it, also what was put into the Temporal UI's form.
func TestWhatPeopleSentIsToldPlainly(t *testing.T) {
	const evil, shown = "line1\nline2 \x1b]0;pwned\a", "line1 line2 ]0;pwned"
	sent, err := converter.GetDefaultDataConverter().ToPayloads(patch.Decision{Actor: evil, Reason: evil})
	require.NoError(t, err)
	accepted := &historypb.WorkflowExecutionUpdateAcceptedEventAttributes{AcceptedRequest: &updatepb.Request{
		Input: &updatepb.Input{Name: string(patch.Abort), Args: sent},
	}}
	// Sent a second time it is answered and decides nothing more, and one that fails with what it blames decides nothing:
	// neither is in a log.
	answered := func(event, of int64, answer map[string]any) *historypb.HistoryEvent {
		payloads, err := converter.GetDefaultDataConverter().ToPayloads(answer)
		require.NoError(t, err)
		return &historypb.HistoryEvent{
			EventId: event, EventTime: timestamppb.New(time.Unix(0, 0)),
			Attributes: &historypb.HistoryEvent_WorkflowExecutionUpdateCompletedEventAttributes{
				WorkflowExecutionUpdateCompletedEventAttributes: &historypb.WorkflowExecutionUpdateCompletedEventAttributes{
					AcceptedEventId: of, Outcome: &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: payloads}},
				},
			},
		}
	}
	heard := func(event int64) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{
			EventId: event, EventTime: timestamppb.New(time.Unix(0, 0)),
			Attributes: &historypb.HistoryEvent_WorkflowExecutionUpdateAcceptedEventAttributes{
				WorkflowExecutionUpdateAcceptedEventAttributes: accepted,
			},
		}
	}
	failed := answered(6, 5, nil)
	failed.GetWorkflowExecutionUpdateCompletedEventAttributes().Outcome = &updatepb.Outcome{
		Value: &updatepb.Outcome_Failure{Failure: &failurepb.Failure{Message: "blame: none of the instances got it"}},
	}
	histories := &recorded{runs: map[string][]*historypb.HistoryEvent{"wave-1": {
		heard(1), answered(2, 1, map[string]any{"verb": "abort"}),
		heard(3), answered(4, 3, map[string]any{"verb": "abort", "already": time.Unix(0, 0).UTC()}),
		heard(5), failed,
	}}}
	events, err := New(histories, "wave-1").Read(t.Context())
	require.NoError(t, err)
	require.Len(t, events, 1)
	require.Equal(t, shown, events[0].Actor)
	require.Equal(t, shown, events[0].Reason)

	status := patch.WaveStatus{Decisions: []patch.Decision{{Verb: patch.Abort, Reason: evil}}}
	events = FromEvidence(status, patch.WaveResult{})
	require.Equal(t, shown, events[0].Reason)
}
