package activities_test

import (
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/patch"
)

// fleet is the laboratory's fleet in simulated time, reached by real clients through real activities.
type fleet struct {
	t   *testing.T
	sim *awssim.Sim
	aws *activities.AWS

	mu  sync.Mutex
	now func() time.Time
}

var (
	staging = patch.Group{
		Account: patch.Account{Name: "staging", ID: "222233334444"}, Region: "ap-northeast-1", Tags: map[string]string{"Role": "web"},
	}
	pace = activities.Pace{Poll: patch.Duration(15 * time.Second), ReadLag: patch.Duration(time.Minute)}
	week = patch.Duration(7 * 24 * time.Hour)
)

func newFleet(t *testing.T, scenario string, faults ...world.WorldFault) *fleet {
	t.Helper()
	return newFleetOf(t, scenario, func(loaded *world.Scenario) { loaded.Faults.World = append(loaded.Faults.World, faults...) })
}

func newFleetOf(t *testing.T, scenario string, change func(*world.Scenario)) *fleet {
	t.Helper()
	loaded, err := world.LoadScenario(scenario)
	require.NoError(t, err)
	change(loaded)
	start := time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)
	f := &fleet{t: t, now: func() time.Time { return start }}
	f.sim, err = awssim.New(awssim.Options{Scenario: loaded, Now: f.clock})
	require.NoError(t, err)
	role := func(id, name string) string { return "arn:aws:iam::" + id + ":role/" + name }
	account := func(name, id string) cloud.Account {
		return cloud.Account{
			Name: name, ID: id, RoleARN: role(id, "patchtide"), ExternalID: "patchtide-lab", AutomationRoleARN: role(id, "patchtide-automation"),
		}
	}
	clients, err := cloud.New(cloud.Options{
		Config: awssdk.Config{
			Region:      "ap-northeast-1",
			Credentials: credentials.NewStaticCredentialsProvider(loaded.Home.AccessKeyID, loaded.Home.SecretAccessKey, ""),
		},
		Accounts: []cloud.Account{account("staging", "222233334444"), account("production", "111122223333")},
		HTTP:     &http.Client{Transport: awssim.RoundTripper(f.sim)},
		Speed:    1e6, // in simulated time nobody may wait by the wall's clock
	})
	require.NoError(t, err)
	f.aws = &activities.AWS{Connector: clients.Activities()}
	return f
}

func (f *fleet) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now()
}

// pass lets AWS's clock run.
func (f *fleet) pass(d time.Duration) {
	later := f.clock().Add(d)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = func() time.Time { return later }
}

// instances lists the ids of a group chosen by tags.
func (f *fleet) instances(account string) []string {
	var ids []string
	f.sim.Inspect(func(w *world.World) {
		for _, instance := range w.Account(account).Region("ap-northeast-1").Instances() {
			ids = append(ids, instance.ID)
		}
	})
	slices.Sort(ids)
	return ids
}

// effects counts the calls of an operation that changed something.
func (f *fleet) effects(operation string) int {
	n := 0
	for _, event := range f.sim.Events() {
		if event.Operation == operation && event.Effect {
			n++
		}
	}
	return n
}

// loseFirst lets the first call of each operation take effect and lose its reply.
func (f *fleet) loseFirst(operations ...string) {
	lost := map[string]bool{}
	f.sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if slices.Contains(operations, call.Operation) && !lost[call.Operation] {
			lost[call.Operation] = true
			return awssim.Fault{Kind: awssim.FaultLostReply}
		}
		return awssim.Fault{}
	})
}

// forward is how a workflow going forward runs an activity, with a budget in simulated time.
func forward(budget time.Duration) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second, ScheduleToCloseTimeout: budget,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 1, MaximumAttempts: 10000, NonRetryableErrorTypes: activities.Final(),
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
	env.SetStartTime(f.clock())
	env.RegisterActivity(f.aws)
	f.mu.Lock()
	f.now = env.Now
	f.mu.Unlock()
	env.ExecuteWorkflow(func(ctx workflow.Context) (Out, error) {
		var out Out
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, forward(budget)), activity, in).Get(ctx, &out)
		return out, err
	})
	end := env.Now()
	f.mu.Lock()
	f.now = func() time.Time { return end }
	f.mu.Unlock()
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
