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

// Whoever decides second is told what the first one decided, while that is carried out and after it.
func TestWhoDecidesSecondIsTold(t *testing.T) {
	first := patch.Decision{
		Verb: patch.Skip, Actor: "ana", Reason: "that machine is odd", At: time.Date(2026, 11, 22, 2, 0, 5, 0, time.UTC),
		Point: patch.Point{Stage: "staging", Hold: 1},
	}
	const told = "skip by ana (that machine is odd) at 02:00:05 UTC"
	for _, c := range []struct {
		name  string
		state patch.WaveState
		hold  int // where the wave is
		asks  bool
		verb  patch.Verb
		named patch.Point
		says  string
	}{
		{"while it is carried out", patch.StateOnHold, 1, false, patch.Retry, patch.Point{}, told + " is being carried out"},
		{
			"while it is carried out, by what is heard at any time", patch.StateOnHold, 1, false, patch.RollBack,
			patch.Point{Stage: "staging", Hold: 1},
			told + " is being carried out",
		},
		{
			"the wave goes on", patch.StateRunning, 1, false, patch.Retry,
			patch.Point{},
			"hold 1 was answered: " + told + "; the wave is running: it takes pause, roll_back, abort, set_concurrency, not retry",
		},
		{
			"at the next hold, meant for the first", patch.StateOnHold, 2, true, patch.Retry,
			patch.Point{Hold: 1},
			"hold 1 was answered: " + told + "; retry is for hold 1; the wave is at hold 2 of stage staging now",
		},
		{
			"a roll back of a wave that goes on, meant for what was patched then", patch.StateRunning, 1, false, patch.RollBack,
			patch.Point{Stage: "staging", Hold: 1},
			"hold 1 was answered: " + told +
				`; roll_back is for hold 1; the wave is at stage staging now and is running. Look, and where it is meant for that ` +
				`send it with "stage": "staging"`,
		},
		{
			"where no hold would have it taken", patch.StateRollingBack, 3, false, patch.Retry,
			patch.Point{Hold: 1},
			"hold 1 was answered: " + told + "; the wave is rolling back: it takes abort, not retry",
		},
		{
			"an abort likewise", patch.StateRunning, 1, false, patch.Abort,
			patch.Point{Hold: 1},
			"hold 1 was answered: " + told + "; abort is for hold 1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			env.ExecuteWorkflow(func(ctx workflow.Context) error {
				w := &wave{}
				w.status.State, w.status.Stage, w.status.Hold = c.state, "staging", c.hold
				w.status.Decisions = []patch.Decision{first}
				if c.asks || c.state == patch.StateRunning {
					w.status.Verbs = patch.VerbsIn(c.state, false)
				}
				sends := VerbRequest{Actor: "bo", Reason: "it may have been the network", Point: c.named}
				require.ErrorContains(t, w.mayTake(ctx, c.verb, sends), c.says)
				return nil
			})
			require.NoError(t, env.GetWorkflowError())
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
