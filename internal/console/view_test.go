package console

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestView(t *testing.T) {
	wave := patch.WaveStatus{
		WaveID: "wave-web-1", State: patch.StateOnHold, Stage: "production",
		Awaiting: "i-0c was put back: retry, skip, roll_back or abort",
		Stages: []patch.StageStatus{
			{Name: "staging", Outcome: patch.Succeeded, Groups: []patch.GroupCounts{{
				Group: "staging/ap-northeast-1/Path=/web,Role=web", WorkflowID: "g1", Phase: patch.GroupDone, Total: 1, Done: 1,
			}}},
			{Name: "production", Groups: []patch.GroupCounts{
				{Group: "production/ap-northeast-1/web", WorkflowID: "g2", Phase: patch.GroupPatching, Total: 3, Done: 1},
				{Group: "production/us-east-1/web", WorkflowID: "unanswered", Phase: patch.GroupIdle},
			}},
		},
	}
	details := Details{
		Groups: map[string]patch.GroupStatus{
			"g1": {Instances: []patch.InstanceResult{{ID: "i-0a", Outcome: patch.Patched}}},
			"g2": {Current: []string{"p1", "p2", "unanswered"}, Instances: []patch.InstanceResult{
				{ID: "i-0b", Outcome: patch.Skipped, Reason: "asked for"},
				{ID: "i-0c", Outcome: patch.Patched},
				{ID: "i-0d", Outcome: patch.NotStarted},
				{ID: "i-0e", Outcome: patch.NotStarted},
			}},
		},
		Instances: map[string]patch.InstanceStatus{
			"p1": {ID: "i-0c", Step: patch.StepRestore, Undoing: true},
			"p2": {ID: "i-0d", Step: patch.StepInstall},
		},
	}
	require.Equal(t, Progress{
		WaveID: "wave-web-1", State: "on hold", Hold: wave.Awaiting,
		Stages: []Stage{
			{Name: "staging", State: "done, 1 of 1", Outcome: patch.Succeeded, Groups: []Group{{
				Account: "staging", Region: "ap-northeast-1", Name: "Path=/web,Role=web",
				Instances: []Instance{{ID: "i-0a", Outcome: patch.Patched}},
			}}},
			{Name: "production", State: "patching, 1 of 3", Groups: []Group{
				{Account: "production", Region: "ap-northeast-1", Name: "web", Instances: []Instance{
					{ID: "i-0b", Outcome: patch.Skipped, Reason: "asked for"},
					{ID: "i-0c", Step: "putting back: restore"},
					{ID: "i-0d", Step: "install"},
					{ID: "i-0e"},
				}},
				{Account: "production", Region: "us-east-1", Name: "web"},
			}},
		},
	}, View(wave, details))

	require.Equal(t, Progress{State: ""}, View(patch.WaveStatus{}, Details{}), "before the first answer")
	require.Equal(
		t, "closed: rolled back",
		View(patch.WaveStatus{State: patch.StateClosed, Outcome: patch.RolledBack}, Details{}).State,
	)
}
