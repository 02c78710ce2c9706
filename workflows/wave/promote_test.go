package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What staging put back or skipped lets production begin by nobody: by no silence, by no max_failures, and by no
// person, who is told so before a skip. The wave ends with staging, and says who was skipped and which key lets it go
// on. With that key it goes on, and whoever approves is told first.
func TestWhatStagingPutBackDoesNotGoOnByItself(t *testing.T) {
	const staging = "        bake: 10m\n"
	const promotes = "        promote: with_skips\n"
	carries, skips := "        max_failures: 1\n", "        on_failure: {timeout: 30m, then: skip}\n"
	for _, c := range []struct {
		name     string
		config   string
		gate     bool
		silent   bool
		decide   []patch.Verb
		answer   patch.Verb
		want     patch.Outcome
		inReason string
	}{
		{"max_failures, nobody there", carries, false, true, nil, "", patch.Aborted, "write promote: with_skips in stage"},
		{"a silent skip", skips, false, true, nil, "", patch.Aborted, "write promote: with_skips in stage staging"},
		{"a person's skip", "", false, false, []patch.Verb{patch.Skip}, "", patch.Aborted, "promote: with_skips"},
		{"nobody is asked to approve it", carries, true, false, nil, patch.Approve, patch.Aborted, "promote: with_skips"},
		{"the plan promotes", promotes + carries, false, true, nil, "", patch.SucceededWithSkips, ""},
		{"the plan promotes a silent skip", promotes + skips, false, true, nil, "", patch.SucceededWithSkips, ""},
		{"promoted and approved", promotes + carries, true, false, nil, patch.Approve, patch.SucceededWithSkips, ""},
		{"promoted and rejected", promotes + carries, true, false, nil, patch.Reject, patch.Aborted, "tester"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy",
				Config: func(file []byte) []byte {
					if !c.gate {
						file = wavetest.Unattended(file)
					}
					return wavetest.PlanWith(staging, staging+c.config)(file)
				},
				Fleet: wavetest.WithFaults(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: "staging"}),
			})
			scene.Silent, scene.Decide, scene.Answer = c.silent, c.decide, c.answer
			held, asked := "", false
			scene.OnHold = func(status patch.WaveStatus) { held = status.Awaiting }
			scene.When(wavetest.InState(patch.StateAwaitingApproval), func(status patch.WaveStatus) {
				asked = true
				put := status.Stages[0].Groups[0].Unproven
				require.Regexp(t, "^Look first: stage staging did not prove the patches on .* rolled back ", status.Awaiting)
				require.Len(t, put, 1)
				require.Contains(t, status.Awaiting, put[0].ID)
				require.Empty(t, scene.Mutations("production"), "nothing of production was touched")
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			promoted := c.gate && c.inReason != "promote: with_skips"
			require.Equal(t, promoted, asked, "a person was asked to approve")
			require.Equal(t, c.want, result.Outcome, "%s", result.Reason)
			require.Contains(t, result.Reason, c.inReason)
			if c.decide != nil {
				require.Contains(t, held, "After a skip the wave ends with this stage: production begins only where all of "+
					"staging is proven (promote: clean)")
			}
			if c.want == patch.Aborted {
				require.Contains(t, result.Reason, "rolled back", "the reason names what was put back")
				require.Empty(t, scene.Mutations("production"))
				require.Equal(t, patch.SucceededWithSkips, result.Stages[0].Outcome, "staging keeps what it did")
			}
		})
	}
}
