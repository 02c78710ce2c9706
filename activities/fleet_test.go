package activities_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// fleet is a simulated fleet reached through real activities.
type fleet struct {
	*simtest.Fleet
	t   *testing.T
	aws *activities.AWS
}

const tokyo = simtest.Tokyo

var (
	production, staging = simtest.Production, simtest.Staging

	pace = activities.Pace{Poll: patch.Duration(15 * time.Second), ReadLag: patch.Duration(time.Minute)}
	week = patch.Duration(7 * 24 * time.Hour)
)

func newFleet(t *testing.T, faults ...world.WorldFault) *fleet {
	t.Helper()
	return newFleetOf(t, func(loaded *world.Scenario) { loaded.Faults.World = append(loaded.Faults.World, faults...) })
}

func newFleetOf(t *testing.T, change func(*world.Scenario)) *fleet {
	t.Helper()
	f := simtest.New(t, simtest.Options{Change: change})
	return &fleet{Fleet: f, t: t, aws: &activities.AWS{Connector: f.Connector()}}
}

// forward is how a workflow going forward runs an activity, with a budget in simulated time.
func forward(budget time.Duration) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second, ScheduleToCloseTimeout: budget,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 1, MaximumAttempts: 10000,
			NonRetryableErrorTypes: activities.Final(),
		},
	}
}

// run runs one activity to its end, with its retries, in simulated time.
func run[Out any](f *fleet, budget time.Duration, activity, in any) (Out, error) {
	f.t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetStartTime(f.Clock())
	env.RegisterActivity(f.aws)
	f.SetClock(env.Now)
	env.ExecuteWorkflow(func(ctx workflow.Context) (Out, error) {
		var out Out
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, forward(budget)), activity, in).Get(ctx, &out)
		return out, err
	})
	end := env.Now()
	f.SetClock(func() time.Time { return end })
	var out Out
	require.True(f.t, env.IsWorkflowCompleted())
	if err := env.GetWorkflowError(); err != nil {
		return out, err
	}
	require.NoError(f.t, env.GetWorkflowResult(&out))
	return out, nil
}

func must[Out any](f *fleet, activity, in any) Out {
	f.t.Helper()
	out, err := run[Out](f, 2*time.Hour, activity, in)
	require.NoError(f.t, err)
	return out
}

func attempt() activities.Attempt {
	return activities.Attempt{WaveID: "wave-1", Token: uuid.NewString()}
}

func requireType(t *testing.T, err error, errorType string) {
	t.Helper()
	var typed *temporal.ApplicationError
	require.ErrorAs(t, err, &typed)
	require.Equal(t, errorType, typed.Type(), typed.Error())
}
