package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What staging put back lets production begin by nobody's silence and by no max_failures: a person approves it, who is
// told which instances, also where the plan has no gate. A plan may say otherwise.
func TestWhatStagingPutBackDoesNotGoOnByItself(t *testing.T) {
	const staging = "        bake: 10m\n"
	carries := []string{staging, staging + "        max_failures: 1\n"}
	skips := []string{staging, staging + "        on_failure: {timeout: 30m, then: skip}\n"}
	promotes := []string{"restore: root_volume\n", "restore: root_volume\n    promote: with_skips\n"}
	for _, c := range []struct {
		name     string
		config   []string
		silent   bool
		decide   []patch.Verb
		answer   patch.Verb
		asked    bool
		want     patch.Outcome
		inReason string
	}{
		{"max_failures, nobody there", carries, true, nil, "", true, patch.Aborted, "nobody approved within 30m"},
		{"a silent skip", skips, true, nil, "", true, patch.Aborted, "nobody approved within 30m"},
		{"max_failures, approved", carries, false, nil, patch.Approve, true, patch.SucceededWithSkips, ""},
		{"max_failures, rejected", carries, false, nil, patch.Reject, true, patch.Aborted, "tester"},
		{"a person's skip", nil, false, []patch.Verb{patch.Skip}, patch.Approve, true, patch.SucceededWithSkips, ""},
		{"the plan promotes", append(promotes, carries...), true, nil, "", false, patch.SucceededWithSkips, ""},
		{"the plan promotes a silent skip", append(promotes, skips...), true, nil, "", false, patch.SucceededWithSkips, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy",
				Config: func(file []byte) []byte {
					return wavetest.PlanWith(c.config...)(wavetest.Unattended(file))
				},
				Fleet: wavetest.WithFaults(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: "staging"}),
			})
			scene.Silent, scene.Decide, scene.Answer = c.silent, c.decide, c.answer
			asked := false
			scene.When(wavetest.InState(patch.StateAwaitingApproval), func(status patch.WaveStatus) {
				asked = true
				require.Equal(t, "production", status.Stage)
				require.Empty(t, scene.Mutations("production"), "nothing of production was touched")
				put := status.Stages[0].Groups[0].Unproven
				require.Len(t, put, 1)
				require.Contains(t, status.Awaiting, "stage staging did not prove the patches on ")
				require.Contains(t, status.Awaiting, put[0].ID+" rolled back")
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.asked, asked, "a person was asked")
			require.Equal(t, c.want, result.Outcome, "%s", result.Reason)
			require.Contains(t, result.Reason, c.inReason)
			if c.want == patch.Aborted {
				require.Contains(t, result.Reason, "rolled back", "the reason names what was put back")
				require.Empty(t, scene.Mutations("production"))
			}
		})
	}
}
