package once

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// TestLook runs waits inside an activity, since they heartbeat.
func TestLook(t *testing.T) {
	poll := Pace{Poll: patch.Duration(20 * time.Millisecond)}
	for _, c := range []struct {
		name      string
		shortWait time.Duration
		doneAt    int // the how many-th look finds it done; 0 never
		looks     int
		ready     bool
	}{
		{"simulated time: one look an attempt", 0, 2, 1, false},
		{"done at once", 0, 1, 1, true},
		{"done within the short wait", 10 * time.Second, 3, 3, true},
		{"not within the short wait", time.Second, 0, 51, false},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			w, looks := Waits{ShortWait: c.shortWait}, 0
			wait := func(ctx context.Context) error {
				return w.Look(ctx, poll, func(context.Context) (bool, string, error) {
					looks++
					return looks == c.doneAt, "it is not there yet", nil
				})
			}
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestActivityEnvironment()
			env.RegisterActivity(wait)
			_, err := env.ExecuteActivity(wait)
			require.Equal(t, c.looks, looks)
			if c.ready {
				require.NoError(t, err)
				return
			}
			var typed *temporal.ApplicationError
			require.ErrorAs(t, err, &typed)
			require.Equal(t, ErrNotReady, typed.Type())
			require.Equal(t, "it is not there yet", typed.Message())
			require.Equal(t, poll.Poll.D(), typed.NextRetryDelay())
			require.Equal(t, temporal.ApplicationErrorCategoryBenign, typed.Category())
		})
	}
}

// inBubble runs a subtest in which time passes only while everything waits.
func inBubble(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// notSent is an error of a call that was given up before it was sent, since too little of the attempt was left.
type notSent struct{}

func (notSent) Error() string { return "SendCommand was not sent: too little time left" }
func (notSent) Unsent() bool  { return true }

// When a wait's budget is spent people are told of its last attempt, and of nothing else. That tells what was waited
// for, whatever became of the attempt itself.
func TestASpentBudgetTellsWhatWasSeenLast(t *testing.T) {
	const seen = "i-1 is not healthy yet: http /healthz on port 80 answers 503"
	for _, c := range []struct {
		name  string
		first error // nil: the first look says it without an error
		then  error // of the look after
		want  string
		kind  string
	}{
		{"no time was left", nil, aws.Wrap("send an http check", "i-1", notSent{}), seen, ErrNotReady},
		{
			"AWS was away", nil, aws.Wrap("describe the instance", "i-1", errors.New("connection reset")),
			seen + "; since then nobody could look: describe the instance (i-1): connection reset", aws.Passing,
		},
		{
			"no time was left, and a type of its own was waited for", Waiting("MachineAway", time.Second, "it has not come back"),
			aws.Wrap("read the agent", "i-1", notSent{}), "it has not come back", ErrNotReady,
		},
		{"it is gone", nil, aws.Final(aws.Gone, "i-1 is gone"), "i-1 is gone", aws.Gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			looks := 0
			wait := func(ctx context.Context) (err error) {
				defer Typed(&err)
				return Waits{}.LookKeeping(ctx, Pace{Poll: patch.Duration(time.Second)}, func() any { return "kept" },
					func(context.Context) (bool, string, error) {
						if looks++; looks > 1 {
							return false, "", c.then
						}
						return false, seen, c.first
					})
			}
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			env.RegisterActivity(wait)
			env.ExecuteWorkflow(func(ctx workflow.Context) error {
				ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
					StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 2},
				})
				return workflow.ExecuteActivity(ctx, wait).Get(ctx, nil)
			})
			var typed *temporal.ApplicationError
			require.ErrorAs(t, env.GetWorkflowError(), &typed)
			var last *temporal.ApplicationError
			for err := error(typed); errors.As(err, &last); err = errors.Unwrap(last) {
				typed = last
			}
			require.Equal(t, c.want, typed.Message())
			require.Equal(t, c.kind, typed.Type())
			require.Equal(t, 2, looks)
		})
	}
}
