package once

import (
	"context"
	"testing"
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
		looks     func(int) bool
		ready     bool
	}{
		{"simulated time: one look an attempt", 0, 2, func(n int) bool { return n == 1 }, false},
		{"done at once", 0, 1, func(n int) bool { return n == 1 }, true},
		{"done within the short wait", 10 * time.Second, 3, func(n int) bool { return n == 3 }, true},
		{"not within the short wait", time.Second, 0, func(n int) bool { return n > 1 && n < 60 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
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
			require.True(t, c.looks(looks), "%d looks", looks)
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
