package wavetest

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	sdkaws "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/awssimtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/worker"
	"github.com/patchtide/patchtide/workflows"
)

// Scene is a wave in Temporal's test environment with the real activities, real AWS clients and the simulated AWS, all
// by the environment's clock: production's durations pass in milliseconds.
type Scene struct {
	Operator
	Elsewhere

	T     TB
	Env   *testsuite.TestWorkflowEnvironment
	Sim   *awssim.Sim
	Store *evidence.Store
	Wire  *Wire // between the clients and the simulator
	Plans *Plans
	Sizes *Sizes // of what went through Temporal, which still asks for them once the scene is closed

	Control *activities.Control
	AWS     *activities.AWS

	Before         Snapshot      // the fleet when the wave began
	clients        sdkaws.Config // of the worker's own account
	log            *slog.Logger
	attempts       *attempts // how activities under way stand
	QuarantineDies bool      // Quarantine ends without running any code once Patience is over
}

// TB is what a scene needs of a test, so that a property test's can stand in for it.
type TB interface {
	require.TestingT
	Helper()
	Context() context.Context
}

// hurry is how much faster client-side limits and the SDK's pauses pass: they are by the wall's clock, which must not
// matter.
const hurry = 1e6

// Options say what a scene is made of.
type Options struct {
	Scenario string                // of awssim, by name
	Fleet    func(*world.Scenario) // changes the scenario; nil: as it is
	Config   func([]byte) []byte   // changes the example configuration, see Example; nil: as it is
	// Zero: a Saturday in the future by the wall's clock, or every assumed role would have expired.
	Start time.Time
	Log   *slog.Logger // what the worker logs; nil: dropped
}

// New sets a scene: the simulated fleet of a scenario, and all that a worker has.
func New(t TB, options Options) *Scene {
	t.Helper()
	s := &Scene{
		T: t, Elsewhere: Elsewhere{Locks: map[string]string{}, Ended: journal.RunBroken},
		Sizes: &Sizes{}, log: options.Log,
		attempts: &attempts{last: map[activities.ReadPendingInput]activities.Pending{}},
	}
	if options.Start.IsZero() {
		options.Start = time.Date(2036, 11, 22, 2, 0, 0, 0, time.UTC)
	}
	s.NewEnv(options.Start)
	cable := &Wire{}
	fleet := awssimtest.New(t, awssimtest.Options{
		Name: options.Scenario, Change: withoutLists(options.Fleet), Now: func() time.Time { return s.Env.Now() },
		Between: func(next http.RoundTripper) http.RoundTripper {
			cable.next = next
			return cable
		},
	})
	file := Example()
	if options.Config != nil {
		file = options.Config(file)
	}
	loaded, err := config.Parse("patchtide.yaml", file, nil)
	require.NoError(t, err)
	var accounts []cloud.Account
	for _, account := range loaded.Accounts {
		accounts = append(accounts, cloud.Account{
			ID: account.ID, Name: account.Name, RoleARN: account.RoleARN, ExternalID: "patchtide-lab",
			AutomationRoleARN: account.AutomationRoleARN,
		})
	}
	clouds, err := cloud.New(cloud.Options{
		Config: fleet.Config(), Accounts: accounts, HTTP: fleet.HTTP, Speed: hurry,
	})
	require.NoError(t, err)
	store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	s.clients = fleet.Config()
	lists, err := evidence.OpenLists(t.Context(), "s3://"+ListsBucket, evidence.Options{AWS: &s.clients})
	require.NoError(t, err)
	s.Sim, s.Store, s.Wire, s.Plans = fleet.Sim, store, cable, &Plans{Plans: loaded}
	s.Control = &activities.Control{
		Plans: s.Plans, Evidence: worker.Journal(store), Manifests: store, Lists: lists,
		Locks: s, Waves: s, Freezes: s, Pendings: s.attempts,
		NamespaceID: "of-the-scene",
	}
	s.AWS = &activities.AWS{
		Connector: clouds.Activities(), HTTP: fleet.HTTP, Baselines: loaded.Baselines,
		Quarantines: activities.NewQuarantines(s.Control.Evidence), Manifests: store,
		Blocks: activities.NewBlocks(s.Control.Evidence),
	}
	s.Register()
	if ends, ok := t.(interface{ Cleanup(func()) }); ok {
		ends.Cleanup(s.Close)
	}
	return s
}

// OwnersStay is for tests in which no run ends that began another: whoever waits for that asks once, and not again and
// again until its own workflow has ended.
func (s *Scene) OwnersStay() { s.attempts.stays = true }

// Close lets go of what the scene holds once its last activity has ended, as its test does by itself when it ends: an
// activity that would be tried again when its workflow ends waits for ever in Temporal's test environment, and keeps
// all that it can reach.
func (s *Scene) Close() {
	if s.attempts == nil { // closed before
		return
	}
	s.attempts.close(func() {
		*s.AWS, *s.Control = activities.AWS{}, activities.Control{}
		*s = Scene{T: s.T}
	})
}

// NewEnv gives the scene a fresh Temporal: the simulated AWS and the evidence stay as they are.
func (s *Scene) NewEnv(start time.Time) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(s.logger())
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(s.workerOptions())
	env.SetStartTime(start)
	env.SetDataConverter(s.Sizes.converter())
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "wave-test", TaskQueue: names.TaskQueue})
	s.Env = env
}

// Again gives the scene another Temporal at a later moment, for another wave.
func (s *Scene) Again(start time.Time) {
	s.NewEnv(start)
	s.Register()
}

// Register gives the present Temporal what a worker registers.
func (s *Scene) Register() {
	workflows.Register(s.Env)
	s.Env.RegisterActivity(s.Control)
	s.Env.RegisterActivity(s.AWS)
}

func (s *Scene) logger() log.Logger {
	if s.log == nil {
		return QuietLogger()
	}
	return worker.Log(s.log)
}

func (s *Scene) interceptors() []interceptor.WorkerInterceptor {
	all := []interceptor.WorkerInterceptor{&unlimited{}, s.attempts}
	if s.log != nil {
		all = append(all, worker.Attempts(s.log))
	}
	return all
}

// QuietLogger drops every line: what a wave logs is not judged.
func QuietLogger() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }

// SkipInShort leaves out three of four waves under -short: the race detector makes each ten times as slow, and looks
// for other things than their ends.
func SkipInShort(i int) bool { return testing.Short() && i%4 != 0 }

// Intercept has others stand beside the scene's own interceptors in the present Temporal.
func (s *Scene) Intercept(others ...interceptor.WorkerInterceptor) {
	s.Env.SetWorkerOptions(s.workerOptions(others...))
}

func (s *Scene) workerOptions(others ...interceptor.WorkerInterceptor) sdkworker.Options {
	return sdkworker.Options{
		DeadlockDetectionTimeout: 30 * time.Second, Interceptors: append(s.interceptors(), others...),
	}
}
