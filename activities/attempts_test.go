package activities_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

var everyTen = activities.Pace{Poll: patch.Duration(10 * time.Second), ReadLag: patch.Duration(time.Minute)}

// attempts runs activities one attempt at a time, so that a test sees what each one did and left for the next.
type attempts struct {
	*fleet
	*activities.AWS
}

func newAttempts(t *testing.T, faults ...world.WorldFault) *attempts {
	t.Helper()
	f := newFleet(t, faults...)
	return &attempts{fleet: f, AWS: f.aws}
}

// do makes one attempt, with the heartbeat details of the one before if there are any, and returns those it left.
func (f *attempts) do(kept any, method, in, out any) (converter.EncodedValues, error) {
	f.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(method)
	if kept != nil {
		env.SetHeartbeatDetails(kept)
	}
	var left converter.EncodedValues
	var mu sync.Mutex
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		mu.Lock()
		defer mu.Unlock()
		left = details
	})
	result, err := env.ExecuteActivity(method, in)
	mu.Lock()
	defer mu.Unlock()
	if err == nil && out != nil {
		require.NoError(f.t, result.Get(out))
	}
	return left, err
}

// must runs an activity that is to succeed at once.
func (f *attempts) must(method, in, out any) {
	f.t.Helper()
	_, err := f.do(nil, method, in, out)
	require.NoError(f.t, err)
}

// fails runs an activity once and returns its typed error.
func (f *attempts) fails(method, in any) *temporal.ApplicationError {
	f.t.Helper()
	_, err := f.do(nil, method, in, nil)
	var typed *temporal.ApplicationError
	require.ErrorAs(f.t, err, &typed)
	return typed
}

// await repeats attempts as Temporal would while the activity is NotReady, AWS's clock moving by each delay.
func (f *attempts) await(budget time.Duration, method, in, out any) error {
	f.t.Helper()
	var kept any
	until := f.Clock().Add(budget)
	for {
		left, err := f.do(kept, method, in, out)
		var typed *temporal.ApplicationError
		if !errors.As(err, &typed) || typed.Type() != activities.ErrNotReady || f.Clock().After(until) {
			return err
		}
		kept = nil
		if left != nil && left.HasValues() {
			var details map[string]string
			require.NoError(f.t, left.Get(&details))
			kept = details
		}
		f.Pass(max(typed.NextRetryDelay(), time.Second))
	}
}

func (f *attempts) inspect(group patch.Group) patch.GroupState {
	f.t.Helper()
	var state patch.GroupState
	f.must(f.InspectGroup, activities.InspectGroupInput{Group: group}, &state)
	return state
}

func instance(group patch.Group, id string) activities.Instance {
	return activities.Instance{Group: group, ID: id}
}
