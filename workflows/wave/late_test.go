package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// gatedTwice has a gate before staging, too.
var gatedTwice = wavetest.PlanWith("      - name: staging\n",
	"      - name: staging\n        approval: {required: true, timeout: 24h}\n")

// An approval that arrives late, or is sent once more since its answer was lost, is for the stage that was asked about
// then: it never lets production begin.
func TestALateApprovalIsNotTheNextStages(t *testing.T) {
	ann := workflows.VerbRequest{Actor: "ann", Reason: "looks well", Point: patch.Point{Stage: "staging", Hold: 1}}
	bare, hold, other := ann, ann, ann
	bare.Point, hold.Stage = patch.Point{}, ""
	other.Point, other.Actor = patch.Point{}, "bob"
	for _, c := range []struct {
		name    string
		first   workflows.VerbRequest // to the gate of staging
		late    workflows.VerbRequest // while production is asked about
		refused string                // "": it is a repetition, answered and without effect
	}{
		{"once more, as it was shown", ann, ann, ""},
		{"once more, by hold", ann, hold, ""},
		{"once more, by hand", bare, bare, ""},
		{"somebody else's, by hand", ann, other, "approve names no hold, and the wave has taken it at another one before"},
		{
			"somebody else's, of the first gate", ann,
			workflows.VerbRequest{Actor: "bob", Reason: "fine", Point: ann.Point},
			"approve is for stage staging",
		},
		{
			"somebody else's, by hold", ann,
			workflows.VerbRequest{Actor: "bob", Reason: "fine", Point: patch.Point{Hold: 1}},
			"approve is for hold 1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: gatedTwice})
			scene.Silent = true
			send := func(request workflows.VerbRequest, refused string) {
				scene.Env.UpdateWorkflow(string(patch.Approve), "", &testsuite.TestUpdateCallback{
					OnAccept:   func() { require.Empty(t, refused, "it was accepted") },
					OnReject:   func(err error) { require.NotEmpty(t, refused, err.Error()); require.ErrorContains(t, err, refused) },
					OnComplete: func(any, error) {},
				}, request)
			}
			scene.When(wavetest.InState(patch.StateAwaitingApproval), func(status patch.WaveStatus) {
				require.Equal(t, patch.Point{Stage: "staging", Hold: 1}, status.Point())
				send(c.first, "")
			})
			late := false
			scene.When(func(s patch.WaveStatus) bool {
				return s.State == patch.StateAwaitingApproval && s.Stage == "production"
			}, func(status patch.WaveStatus) {
				require.Equal(t, 2, status.Hold)
				send(c.late, c.refused)
				scene.Env.RegisterDelayedCallback(func() {
					late = true
					now, _ := scene.Status()
					require.Equal(t, patch.StateAwaitingApproval, now.State, "production was let begin")
					require.Empty(t, scene.Mutations("production"))
					scene.MustTake(patch.Reject, wavetest.Because("enough"))
				}, time.Hour)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, late)
			require.Equal(t, patch.Aborted, result.Outcome)
		})
	}
}

// An abort that was meant for a hold and arrives when somebody has had it put back would give up on what is put back.
func TestALateAbortDoesNotGiveUpARollBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Fleet:    wavetest.WithFaults(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 3}),
	})
	scene.Decide = []patch.Verb{patch.RollBack}
	var held patch.WaveStatus
	scene.OnHold = func(status patch.WaveStatus) { held = status }
	refused := false
	scene.When(wavetest.InState(patch.StateRollingBack), func(status patch.WaveStatus) {
		refused = true
		require.Equal(t, held.Hold+1, status.Hold)
		late := wavetest.Because("stop here")
		scene.Refuses(patch.Abort, late, "abort names no hold")
		late.Point = held.Point()
		scene.Refuses(patch.Abort, late, "abort is for hold")
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, refused)
	require.Equal(t, patch.RolledBack, result.Outcome)
}
