package workflows_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
	"github.com/patchtide/patchtide/workflows"
)

// bench is a wave in Temporal's test environment with the real activities, real AWS clients and the simulated AWS, all by
// the environment's clock: production's durations pass in milliseconds.
type bench struct {
	t      *testing.T
	env    *testsuite.TestWorkflowEnvironment
	sim    *awssim.Sim
	store  *evidence.Store
	decide []patch.Verb // what the operator sends at each hold, in order; then abort
	scope  patch.Scope
	onHold func(patch.WaveStatus)
}

// hurry is how much faster client-side limits and the SDK's pauses pass: they are by the wall's clock, which must not matter.
const hurry = 1e6

type benchOptions struct {
	scenario string
	fleet    func(*world.Scenario)
	config   func([]byte) []byte
}

func newBench(t *testing.T, options benchOptions) *bench {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(sdkworker.Options{DeadlockDetectionTimeout: 30 * time.Second})
	// In the future by the wall's clock, or every assumed role would have expired.
	env.SetStartTime(time.Date(2036, 11, 22, 2, 0, 0, 0, time.UTC))
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "wave-test", TaskQueue: names.TaskQueue})
	scenario, err := world.LoadScenario(options.scenario)
	require.NoError(t, err)
	if options.fleet != nil {
		options.fleet(scenario)
	}
	sim, err := awssim.New(awssim.Options{Scenario: scenario, Now: env.Now})
	require.NoError(t, err)
	t.Setenv("PATCHTIDE_EXTERNAL_ID", "patchtide-lab")
	file := config.Example()
	if options.config != nil {
		file = options.config(file)
	}
	loaded, err := config.Parse("patchtide.yaml", file, nil)
	require.NoError(t, err)
	httpClient := &http.Client{Transport: awssim.RoundTripper(sim)}
	var accounts []cloud.Account
	for _, account := range loaded.Accounts {
		accounts = append(accounts, cloud.Account{
			ID: account.ID, Name: account.Name, RoleARN: account.RoleARN, ExternalID: "patchtide-lab", AutomationRoleARN: account.AutomationRoleARN,
		})
	}
	clouds, err := cloud.New(cloud.Options{
		Config: awssdk.Config{
			Region: "ap-northeast-1", BaseEndpoint: awssdk.String("http://aws.invalid"), HTTPClient: httpClient,
			Credentials: credentials.NewStaticCredentialsProvider(scenario.Home.AccessKeyID, scenario.Home.SecretAccessKey, ""),
		},
		Accounts: accounts, HTTP: httpClient, Speed: hurry,
	})
	require.NoError(t, err)
	store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	workflows.Register(env)
	env.RegisterActivity(&activities.Control{Plans: loaded, Evidence: worker.Journal(store)})
	env.RegisterActivity(&activities.AWS{Connector: clouds.Activities(), HTTP: httpClient, Baselines: loaded.Baselines})
	return &bench{t: t, env: env, sim: sim, store: store}
}

// run starts the wave and plays the operator: it approves at once and decides each hold.
func (b *bench) run(request any) (*patch.WaveResult, error) {
	b.t.Helper()
	answered := time.Time{}
	var look func()
	look = func() {
		if b.env.IsWorkflowCompleted() {
			return
		}
		if status, ok := b.status(); ok && status.Since != answered {
			switch status.State {
			case patch.StateAwaitingApproval:
				answered = status.Since
				b.tell(patch.Approve, "")
			case patch.StateOnHold:
				answered = status.Since
				if b.onHold != nil {
					b.onHold(status)
				}
				verb := patch.Abort
				if len(b.decide) > 0 {
					verb, b.decide = b.decide[0], b.decide[1:]
				}
				scope := b.scope
				if verb != patch.RollBack {
					scope = ""
				}
				b.tell(verb, scope)
			}
		}
		b.env.RegisterDelayedCallback(look, 20*time.Second)
	}
	b.env.RegisterDelayedCallback(look, 20*time.Second)
	b.env.ExecuteWorkflow(names.PatchWave, request)
	require.True(b.t, b.env.IsWorkflowCompleted())
	if err := b.env.GetWorkflowError(); err != nil {
		return nil, err
	}
	var result patch.WaveResult
	require.NoError(b.t, b.env.GetWorkflowResult(&result))
	return &result, nil
}

func (b *bench) status() (patch.WaveStatus, bool) {
	var status patch.WaveStatus
	value, err := b.env.QueryWorkflow(names.QueryStatus)
	if err != nil || value.Get(&status) != nil {
		return status, false
	}
	return status, true
}

func (b *bench) tell(verb patch.Verb, scope patch.Scope) {
	b.env.UpdateWorkflow(string(verb), "", &testsuite.TestUpdateCallback{
		OnAccept:   func() {},
		OnReject:   func(err error) { b.t.Errorf("%s was rejected: %v", verb, err) },
		OnComplete: func(_ any, err error) { require.NoError(b.t, err) },
	}, workflows.VerbRequest{Actor: "tester", Reason: "the test says so", Scope: scope})
}

// outcomes lists every instance's outcome by stage, in order.
func outcomes(result *patch.WaveResult) map[string][]patch.Outcome {
	all := map[string][]patch.Outcome{}
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				all[stage.Name] = append(all[stage.Name], instance.Outcome)
			}
		}
	}
	return all
}

// calls lists an operation's events that had an effect.
func (b *bench) effects(operation string) []awssim.Event {
	return slices.DeleteFunc(b.sim.Events(), func(e awssim.Event) bool { return e.Operation != operation || !e.Effect })
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
