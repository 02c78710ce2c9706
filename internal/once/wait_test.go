package once

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

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
