package wavelog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
	histories := &recorded{runs: map[string][]*historypb.HistoryEvent{"wave-1": {{
		EventId: 1, EventTime: timestamppb.New(time.Unix(0, 0)),
		Attributes: &historypb.HistoryEvent_WorkflowExecutionUpdateAcceptedEventAttributes{
			WorkflowExecutionUpdateAcceptedEventAttributes: accepted,
		},
	}}}}
	events, err := New(histories, "wave-1").Read(t.Context())
	require.NoError(t, err)
	require.Len(t, events, 1)
	require.Equal(t, shown, events[0].Actor)
	require.Equal(t, shown, events[0].Reason)

	status := patch.WaveStatus{Decisions: []patch.Decision{{Verb: patch.Abort, Reason: evil}}}
	events = FromEvidence(status, patch.WaveResult{})
	require.Equal(t, shown, events[0].Reason)
}
