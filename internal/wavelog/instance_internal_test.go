package wavelog

import (
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
)

// The scan after a machine was put back reads in the log as a part of that, as every other step of it does.
func TestTheScanOfWhatIsPutBackSaysSo(t *testing.T) {
	for _, c := range []struct {
		name string
		in   any
		says string
	}{
		{"it is patched", map[string]any{"Instance": "i-1"}, "scan"},
		{"it is put back", map[string]any{"Instance": "i-1", "PutBack": map[string]any{}}, "putting back: scan"},
	} {
		t.Run(c.name, func(t *testing.T) {
			input, err := converter.GetDefaultDataConverter().ToPayloads(c.in)
			require.NoError(t, err)
			teller := &instanceTeller{}
			_, _ = teller.tell(&historypb.HistoryEvent{
				Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
					WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: input},
				},
			})
			told, _ := teller.tell(&historypb.HistoryEvent{
				Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{
					ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
						ActivityType: &commonpb.ActivityType{Name: "StartScan"},
					},
				},
			})
			require.Len(t, told, 1)
			require.Equal(t, c.says, told[0].What)
		})
	}
}
