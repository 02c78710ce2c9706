package wave

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// While the answer to a hold is being carried out, orders are on their way to groups and the state is still that of the
// hold: a second answer is refused, or it would answer the next hold, which nobody has seen yet.
func TestAHoldTakesOneAnswer(t *testing.T) {
	for _, c := range []struct {
		name    string
		state   patch.WaveState
		verbs   []patch.Verb // as shown; none once somebody has answered
		verb    patch.Verb
		refused string
	}{
		{"the first answer", patch.StateOnHold, patch.VerbsIn(patch.StateOnHold, false), patch.Skip, ""},
		{"the second answer", patch.StateOnHold, nil, patch.Skip, "what was decided last is being carried out"},
		{
			"the second answer to a gate", patch.StateAwaitingApproval, nil, patch.Reject,
			"what was decided last is being carried out",
		},
		{"abort is always heard", patch.StateOnHold, nil, patch.Abort, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			w := &wave{}
			env.RegisterDelayedCallback(func() {
				env.UpdateWorkflow(string(c.verb), "", &testsuite.TestUpdateCallback{
					OnAccept: func() { require.Empty(t, c.refused, "it was accepted") },
					OnReject: func(err error) {
						require.NotEmpty(t, c.refused, "%v", err)
						require.ErrorContains(t, err, c.refused)
					},
					OnComplete: func(any, error) {},
				}, VerbRequest{Actor: "tester", Reason: "the test says so"})
			}, time.Minute)
			env.ExecuteWorkflow(func(ctx workflow.Context) error {
				w.status.State, w.status.Verbs = c.state, c.verbs
				if err := w.take(ctx, c.verb, ""); err != nil {
					return err
				}
				return workflow.Sleep(ctx, time.Hour)
			})
			require.NoError(t, env.GetWorkflowError())
			require.Equal(t, c.refused == "", w.inbox.decision != nil)
		})
	}
}

// Whoever decided, and also where a cancel did: from that moment the wave asks nobody, though its state is still that
// of the hold.
func TestAWaveThatWasAnsweredAsksNoMore(t *testing.T) {
	for name, answer := range map[string]func(*testing.T, *testsuite.TestWorkflowEnvironment){
		"a person": func(t *testing.T, env *testsuite.TestWorkflowEnvironment) {
			env.UpdateWorkflow(string(patch.RollBack), "", &testsuite.TestUpdateCallback{
				OnAccept: func() {}, OnReject: func(err error) { require.NoError(t, err) }, OnComplete: func(any, error) {},
			}, VerbRequest{Actor: "tester", Reason: "the test says so"})
		},
		"a cancel":            func(_ *testing.T, env *testsuite.TestWorkflowEnvironment) { env.CancelWorkflow() },
		"nobody, for so long": func(*testing.T, *testsuite.TestWorkflowEnvironment) {},
	} {
		t.Run(name, func(t *testing.T) {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			w := &wave{}
			env.RegisterDelayedCallback(func() { answer(t, env) }, time.Minute)
			env.ExecuteWorkflow(func(ctx workflow.Context) error {
				w.status.State, w.status.Verbs = patch.StateOnHold, patch.VerbsIn(patch.StateOnHold, false)
				if err := w.take(ctx, patch.RollBack, ""); err != nil {
					return err
				}
				require.True(t, w.status.Asks())
				w.awaitDecision(ctx, patch.Duration(time.Hour), patch.Decision{Verb: patch.Abort}, func(workflow.Context) {})
				require.False(t, w.status.Asks())
				return nil
			})
			require.True(t, env.IsWorkflowCompleted())
			require.NoError(t, env.GetWorkflowError())
		})
	}
}
