package console

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestView(t *testing.T) {
	wave := patch.WaveStatus{
		WaveID: "wave-web-1", State: patch.StateOnHold, Stage: "production",
		Awaiting: "i-0c was put back: retry, skip, roll back or abort",
		Stages: []patch.StageStatus{
			{Name: "staging", Outcome: patch.Succeeded, Groups: []patch.GroupCounts{{
				Group: "staging/ap-northeast-1/Path=/web,Role=web", WorkflowID: "g1", Phase: patch.GroupDone, Total: 1, Done: 1,
				Outcome: patch.Succeeded, Tally: patch.Tally{patch.Patched: 1},
			}}},
			{Name: "production", Groups: []patch.GroupCounts{
				{
					Group: "production/ap-northeast-1/web", WorkflowID: "g2", Phase: patch.GroupPatching, Total: 3, Done: 1,
					Tally: patch.Tally{patch.Skipped: 1},
				},
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
		WaveID: "wave-web-1", State: "on hold: production", Asks: wave.Awaiting,
		Stages: []Stage{
			{Name: "staging", State: "succeeded, 1 of 1 patched", Outcome: patch.Succeeded, Groups: []Group{{
				Account: "staging", Region: "ap-northeast-1", Name: "Path=/web,Role=web",
				Instances: []Instance{{ID: "i-0a", Outcome: patch.Patched}},
			}}},
			{Name: "production", State: "patching, 0 of 3 patched, 1 skipped", Groups: []Group{
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

// Who sees lines only, as in a log or a pipe, is asked what a screen asks, and told what keeps a wave from going on.
func TestLinesTellWhatIsAskedAndWhatIsWaitedFor(t *testing.T) {
	until := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	paused := patch.GroupCounts{Phase: patch.GroupPaused, Reason: "account production is frozen by ann"}
	for _, c := range []struct {
		name        string
		status      patch.WaveStatus
		asks, state string
	}{
		{
			"an approval", patch.WaveStatus{
				State: patch.StateAwaitingApproval, Stage: "production", Awaiting: "Stage production: 4 instances.",
				Otherwise: patch.Reject, Until: &until, Verbs: []patch.Verb{patch.Approve, patch.Reject},
			}, "Stage production: 4 instances. If nobody answers by", "awaiting approval: production",
		},
		{
			"a freeze", patch.WaveStatus{
				State: patch.StateRunning, Stage: "production",
				Stages: []patch.StageStatus{{Groups: []patch.GroupCounts{paused, {Phase: patch.GroupDone}}}},
			}, "", "running: production, and waits: account production is frozen by ann",
		},
		{
			"a group that waits while another works", patch.WaveStatus{
				State: patch.StateRunning, Stage: "production",
				Stages: []patch.StageStatus{{Groups: []patch.GroupCounts{paused, {Phase: patch.GroupPatching}}}},
			}, "", "running: production",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			shown := View(c.status, Details{})
			require.Equal(t, c.state, shown.State)
			if c.asks == "" {
				require.Empty(t, shown.Asks)
				return
			}
			require.Contains(t, shown.Asks, c.asks)
			var out bytes.Buffer
			New(&out, nil, time.Now).Update(shown)
			require.Contains(t, out.String(), c.state+": "+c.asks)
		})
	}
}

// What a wave waits for, and what is frozen, reaches the screen too, which reads a copy.
func TestACopyOfDetailsHasAllOfThem(t *testing.T) {
	details := Details{
		Groups:    map[string]patch.GroupStatus{"g": {Group: "production/r/web"}},
		Instances: map[string]patch.InstanceStatus{"i": {ID: "i-1"}},
		Waits:     patch.Waits{On: []patch.Wait{{Activity: "AwaitInService"}}, Frozen: patch.Freezes{{Actor: "ann"}}},
	}
	copied := details.Clone()
	require.Equal(t, details, copied)
	details.Groups["other"], details.Instances["other"] = patch.GroupStatus{}, patch.InstanceStatus{}
	require.Len(t, copied.Groups, 1)
	require.Len(t, copied.Instances, 1)
}
