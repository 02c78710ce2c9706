// Package worker builds Patchtide's worker: the same one for the product and the laboratory. It serves the workflows
// and one activity queue for each account and region of the configuration.
package worker

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// Options are what a worker is built from.
type Options struct {
	Client    client.Client
	Namespace string // the client's
	Config    *config.Config
	AWS       aws.Config   // the default chain's; target accounts' roles are assumed from it
	HTTP      *http.Client // for AWS and for HTTP checks `from: worker`; nil is the standard library's
	Evidence  *evidence.Store
	Logger    *slog.Logger
	Version   string

	// Identity is set by the laboratory only, whose histories are kept; "" is this process with its configuration and
	// journal, as names.Worker writes it.
	Identity string
	// Plans is set by the laboratory only, which opens a window of its own; nil is the configuration's.
	Plans activities.Plans
	// Speed is set by the laboratory only, whose AWS lives that much faster; the product leaves it 0.
	Speed float64
}

// shortWait is how long one attempt of a wait polls before it falls back to retries: most health changes and drains end
// within it, and an attempt stays well under its StartToClose of 30 s.
const shortWait = 8 * time.Second

// Worker is a running worker.
type Worker struct {
	workers []sdkworker.Worker
	queues  []string
	stopped context.CancelFunc
	looking sync.WaitGroup // for what it needs and was not there
}

// Start starts polling, once it has looked at what all its work would fail without. What no wait mends is an error: the
// namespace lacks our search attributes, another worker keeps its evidence elsewhere or signs with another key, the
// evidence store is signed with a key that is not known here. What may pass, as AWS or the evidence store that do not
// answer, is logged and looked at again while the worker serves: whoever is out of service is brought back all the
// same. Errors say what to do. It returns when Temporal lists that it polls.
func Start(ctx context.Context, options Options) (*Worker, error) {
	if options.HTTP == nil {
		options.HTTP = http.DefaultClient
	}
	if err := checkSearchAttributes(ctx, options.Client, options.Namespace); err != nil {
		return nil, err
	}
	namespace, err := options.Client.WorkflowService().DescribeNamespace(
		ctx, &workflowservice.DescribeNamespaceRequest{Namespace: options.Namespace},
	)
	if err != nil {
		return nil, fmt.Errorf("ask Temporal for the id of the namespace %s: %w", options.Namespace, err)
	}
	clouds, err := WhileUnreachable(ctx, options.Logger, "an external id", func() (*cloud.Cloud, error) {
		return clouds(ctx, options)
	})
	if err != nil {
		return nil, err
	}
	var plans activities.Plans = options.Config
	if options.Plans != nil {
		plans = options.Plans
	}
	channels, err := notifier(options, func() (*cloud.Cloud, error) { return clouds, nil })
	if err != nil {
		return nil, err
	}
	missing, err := lookAtNeeds(ctx, options.Logger, options.needs())
	if err != nil {
		return nil, err
	}
	journal := names.UnknownJournal
	if journals, err := options.Evidence.Fingerprints(ctx); err == nil {
		if err := checkBeside(ctx, options.Client, journals, options.Logger); err != nil {
			return nil, err
		}
		journal = journals[0]
	} // else the store is away, which has been told
	identity, err := options.identity(journal)
	if err != nil {
		return nil, err
	}
	w := &Worker{}
	attempts := []interceptor.WorkerInterceptor{Attempts(options.Logger)}
	main := sdkworker.New(options.Client, names.TaskQueue, sdkworker.Options{Identity: identity, Interceptors: attempts})
	workflows.Register(main)
	lists, err := openLists(ctx, options)
	if err != nil {
		return nil, err
	}
	register(main, &activities.Control{
		Manifests: options.Evidence, Lists: lists,
		Plans: plans, Evidence: Journal(options.Evidence), Locks: activities.NewLocks(options.Client),
		Waves:   activities.NewWaves(options.Client),
		Freezes: activities.NewFreezes(options.Client), Speed: options.Speed, Notifier: channels, Notices: options.Evidence,
		NamespaceID: namespace.GetNamespaceInfo().GetId(),
		Pendings:    activities.NewPendings(options.Client),
	})
	w.add(names.TaskQueue, main)
	wait := shortWait
	if options.Speed > 1 {
		wait = min(wait, time.Duration(float64(patch.MinAttempt)/2))
	}
	for _, account := range options.Config.Accounts {
		for _, region := range account.Regions {
			queue := names.ActivityQueue(patch.Account{Name: account.Name, ID: account.ID}, region)
			// One poller a queue: a frontend holds a limited number of long polls, and AWS's quotas bind long before a poller.
			local := sdkworker.New(options.Client, queue, sdkworker.Options{
				Identity: identity, DisableWorkflowWorker: true, MaxConcurrentActivityTaskPollers: 1, Interceptors: attempts,
			})
			register(local, &activities.AWS{
				Connector: clouds.Activities(), HTTP: options.HTTP, ShortWait: wait, Baselines: options.Config.Baselines,
				Quarantines: activities.NewQuarantines(Journal(options.Evidence)), Manifests: options.Evidence,
				Blocks: activities.NewBlocks(Journal(options.Evidence)), Speed: options.Speed,
				Secrets: func(ctx context.Context, source string) (string, error) {
					return ReadSecret(ctx, config.Source(source), options.AWS)
				},
			})
			w.add(queue, local)
		}
	}
	for i, each := range w.workers {
		if err := each.Start(); err != nil {
			w.stop(i)
			return nil, fmt.Errorf("start the worker of task queue %s: %w", w.queues[i], err)
		}
	}
	lookOn, stopped := context.WithCancel(ctx)
	w.stopped = stopped
	for _, each := range missing {
		w.looking.Go(func() { each.await(lookOn, options.Logger) })
	}
	if err := keepFreezes(ctx, options.Client); err != nil {
		w.Stop()
		return nil, err
	}
	awaitListed(ctx, options.Client, identity, options.Logger)
	return w, nil
}

// identity is how Temporal, and by it everybody, gets to know this worker.
func (o Options) identity(journal string) (string, error) {
	if o.Identity != "" {
		return o.Identity, nil
	}
	configuration, err := o.Config.Fingerprint()
	if err != nil {
		return "", err
	}
	host, _ := os.Hostname() // only to be recognised
	return names.Worker{
		Process: names.WorkerProcess(os.Getpid(), host), Config: configuration, Journal: journal,
	}.Identity(), nil
}

// register makes every method of activities known under its own name.
func register(registry sdkworker.ActivityRegistry, methods any) {
	registry.RegisterActivityWithOptions(methods, activity.RegisterOptions{})
}

func (w *Worker) add(queue string, worker sdkworker.Worker) {
	w.workers, w.queues = append(w.workers, worker), append(w.queues, queue)
}

// Queues lists the task queues served.
func (w *Worker) Queues() []string { return w.queues }

// Stop ends polling and waits for running activities to end.
func (w *Worker) Stop() {
	w.stopped()
	w.looking.Wait()
	w.stop(len(w.workers))
}

func (w *Worker) stop(started int) {
	for i := started - 1; i >= 0; i-- {
		w.workers[i].Stop()
	}
}

// clouds gives the AWS clients of every account of the configuration.
func clouds(ctx context.Context, options Options) (*cloud.Cloud, error) {
	accounts, err := cloudAccounts(ctx, options)
	if err != nil {
		return nil, err
	}
	return cloud.New(
		cloud.Options{
			Config: options.AWS, Accounts: accounts, HTTP: options.HTTP, Speed: options.Speed, Version: options.Version,
		},
	)
}

// cloudAccounts reads the external ids from where the configuration says.
func cloudAccounts(ctx context.Context, options Options) ([]cloud.Account, error) {
	var accounts []cloud.Account
	for _, account := range options.Config.Accounts {
		known, err := CloudAccount(ctx, account, options.AWS)
		if err != nil {
			return nil, fmt.Errorf("account %s: external_id_from: %w", account.Name, err)
		}
		accounts = append(accounts, known)
	}
	return accounts, nil
}

// CloudAccount is how an account of the configuration is entered. The error is of its external id, which is read from
// where the configuration says.
func CloudAccount(ctx context.Context, account config.Account, sdk aws.Config) (cloud.Account, error) {
	external, err := ReadSecret(ctx, account.ExternalIDFrom, sdk)
	return cloud.Account{
		ID: account.ID, Name: account.Name, RoleARN: account.RoleARN, ExternalID: external,
		AutomationRoleARN: account.AutomationRoleARN,
	}, err
}

// openLists opens the place of the lists that bind machines; nil where none is configured.
func openLists(ctx context.Context, options Options) (activities.Lists, error) {
	where := options.Config.Settings.Manifests
	if where == "" {
		return nil, nil
	}
	return evidence.OpenLists(ctx, where, evidence.Options{AWS: &options.AWS})
}
