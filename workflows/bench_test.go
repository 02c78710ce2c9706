package workflows_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
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
	t      tester
	env    *testsuite.TestWorkflowEnvironment
	sim    *awssim.Sim
	store  *evidence.Store
	decide []patch.Verb // what the operator sends at each hold, in order; then abort
	scope  patch.Scope
	onHold func(patch.WaveStatus)
	wire   *wire // between the clients and the simulator

	control *activities.Control
	aws     *activities.AWS

	// impatient aborts a wave that is still not closed after patience, and again and again until it gives up.
	impatient bool
	fedUp     func() bool // nil: never; true: the operator gives up before that
	gaveUp    bool

	mortal bool // Quarantine ends without running any code once patience is over

	answer patch.Verb        // to what awaits approval; "" is approve
	silent bool              // the operator answers nothing
	photo  fleet             // the fleet when the wave began
	locks  map[string]string // workflow id to its parent: who holds which lock
	closed map[string]time.Time

	freezes    patch.Freezes
	freezeLost error // Freeze does not answer
	plans      *plans
}

// tester is what a bench needs of a test, so that a property test's can stand in for it.
type tester interface {
	require.TestingT
	Helper()
	Context() context.Context
}

// patience is longer than any wave of the bench takes when all goes well and every wait runs to its end.
const patience = 5 * time.Hour

// wire is the way from the clients to the simulator, for a test to cut.
type wire struct {
	next http.RoundTripper
	wrap func(*http.Request, http.RoundTripper) (*http.Response, error)
}

func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	if w.wrap != nil {
		return w.wrap(request, w.next)
	}
	return w.next.RoundTrip(request)
}

// hurry is how much faster client-side limits and the SDK's pauses pass: they are by the wall's clock, which must not matter.
const hurry = 1e6

type benchOptions struct {
	scenario string
	fleet    func(*world.Scenario)
	config   func([]byte) []byte
	start    time.Time // zero: a Saturday in the future by the wall's clock, or every assumed role would have expired
}

func newBench(t tester, options benchOptions) *bench {
	t.Helper()
	b := &bench{t: t, locks: map[string]string{}}
	if options.start.IsZero() {
		options.start = time.Date(2036, 11, 22, 2, 0, 0, 0, time.UTC)
	}
	b.newEnv(options.start)
	scenario, err := world.LoadScenario(options.scenario)
	require.NoError(t, err)
	if options.fleet != nil {
		options.fleet(scenario)
	}
	sim, err := awssim.New(awssim.Options{Scenario: scenario, Now: func() time.Time { return b.env.Now() }})
	require.NoError(t, err)
	file := config.Example()
	if options.config != nil {
		file = options.config(file)
	}
	loaded, err := config.Parse("patchtide.yaml", file, nil)
	require.NoError(t, err)
	cable := &wire{next: awssim.RoundTripper(sim)}
	httpClient := &http.Client{Transport: cable}
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
	b.sim, b.store, b.wire, b.plans = sim, store, cable, &plans{Plans: loaded}
	b.control = &activities.Control{Plans: b.plans, Evidence: worker.Journal(store), Locks: b, Freezes: b}
	b.aws = &activities.AWS{Connector: clouds.Activities(), HTTP: httpClient, Baselines: loaded.Baselines}
	b.register()
	return b
}

// newEnv gives the bench a fresh Temporal: the simulated AWS and the evidence stay as they are.
func (b *bench) newEnv(start time.Time) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(sdkworker.Options{DeadlockDetectionTimeout: 30 * time.Second})
	env.SetStartTime(start)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "wave-test", TaskQueue: names.TaskQueue})
	b.env = env
}

// again gives the bench another Temporal at a later moment, for another wave.
func (b *bench) again(start time.Time) {
	b.newEnv(start)
	b.register()
}

func (b *bench) register() {
	workflows.Register(b.env)
	b.env.RegisterActivity(b.control)
	b.env.RegisterActivity(b.aws)
}

// plans are the configuration's, in a window of the test's own; nil is any time. With scheduled set the configuration's own
// schedule counts.
type plans struct {
	activities.Plans
	window    *patch.Window
	following []patch.Window // those after it
	scheduled bool
	change    func(*patch.Plan) // nil: as the configuration has it
}

func (p *plans) Window(plan string, at time.Time) (*patch.Window, error) {
	if p.scheduled {
		return p.Plans.Window(plan, at)
	}
	for i := range p.following {
		if p.following[i].Cutoff.After(at) && !at.Before(p.window.Cutoff) {
			return &p.following[i], nil
		}
	}
	return p.window, nil
}

func (p *plans) Plan(name string) (patch.Plan, error) {
	plan, err := p.Plans.Plan(name)
	if p.change != nil && err == nil {
		p.change(&plan)
	}
	return plan, err
}

// Holder answers who holds a lock as Temporal would; the test environment cannot be asked.
func (b *bench) Holder(_ context.Context, workflowID string) (*activities.LockHolder, error) {
	parent, held := b.locks[workflowID]
	if !held {
		return nil, nil
	}
	return &activities.LockHolder{WorkflowID: workflowID, Parent: parent}, nil
}

// Freezes answers what is frozen, as the workflow Freeze would.
func (b *bench) Freezes(context.Context) (patch.Freezes, error) { return b.freezes, b.freezeLost }

// Closed answers when a workflow ended.
func (b *bench) Closed(_ context.Context, workflowID string) (time.Time, error) {
	return b.closed[workflowID], nil
}

// run starts the wave and plays the operator: it approves at once and decides each hold.
func (b *bench) run(request any) (*patch.WaveResult, error) {
	b.t.Helper()
	b.photo = b.photograph()
	answered := time.Time{}
	began := b.env.Now()
	var look func()
	look = func() {
		if b.env.IsWorkflowCompleted() {
			return
		}
		if b.impatient && (b.env.Now().After(began.Add(patience)) || b.fedUp != nil && b.fedUp()) {
			b.gaveUp = true
			if status, ok := b.status(); ok && patch.VerbAllowed(patch.Abort, status.State, patch.VerbsIn(status.State, false)) == nil {
				b.tell(patch.Abort, "")
			}
		}
		if b.silent {
			b.env.RegisterDelayedCallback(look, 20*time.Second)
			return
		}
		if status, ok := b.status(); ok && status.Since != answered {
			switch status.State {
			case patch.StateAwaitingApproval:
				answered = status.Since
				verb := b.answer
				if verb == "" {
					verb = patch.Approve
				}
				b.tell(verb, "")
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
		// A cancelled wave tells its result in the error's details.
		var cancelled *temporal.CanceledError
		var result patch.WaveResult
		if errors.As(err, &cancelled) && cancelled.HasDetails() && cancelled.Details(&result) == nil {
			return &result, err
		}
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
