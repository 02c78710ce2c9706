// Package lab is the laboratory's own Temporal: a whole server on SQLite and the Temporal UI, both inside this process,
// so that one command on a fresh machine is enough. It is not for production: one process, one database connection, no
// authentication, and it listens on loopback unless told otherwise.
package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/temporal"

	"github.com/patchtide/patchtide/internal/payload"
)

// Namespace is the one namespace the laboratory creates; it is the SDK's and the UI's default too.
const Namespace = client.DefaultNamespace

// readyBudget bounds the wait until a started server answers: measured, it takes well under a second; a machine busy
// with a build has taken ten.
const readyBudget = time.Minute

// readyPoll is the time between two questions to a server that is starting.
const readyPoll = 20 * time.Millisecond

// TemporalOptions says where the embedded server listens and what it keeps. The zero value is a server in memory on
// free loopback ports with no search attributes of ours.
type TemporalOptions struct {
	// DataDir is the folder of the SQLite file; it is created when missing. Empty: in memory, gone when the process ends.
	DataDir string
	// Listen is the frontend's host:port; the host must be an IP address. Empty: 127.0.0.1 and a free port.
	Listen string
	// UIListen is the UI's host:port. Empty: 127.0.0.1 and a free port.
	UIListen string
	// SearchAttributes are added to the namespace when they are missing.
	SearchAttributes map[string]enumspb.IndexedValueType
	// Logger receives the server's log. Nil: nothing is logged.
	Logger *slog.Logger
}

// Temporal is a running server with its UI.
type Temporal struct {
	address string
	server  temporal.Server
	ui      *webUI
	logger  *slog.Logger
}

// StartTemporal starts the server and the UI and returns when a client gets answers, the search attributes can be used
// in queries and the UI serves its page. Errors name the address, file or attribute concerned. On an error nothing is
// left running.
func StartTemporal(ctx context.Context, options TemporalOptions) (_ *Temporal, err error) {
	logger := options.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	frontend, err := reserve(options.Listen)
	if err != nil {
		return nil, fmt.Errorf("the Temporal server's address: %w", err)
	}
	config, err := serverConfig(frontend)
	if err != nil {
		return nil, err
	}
	database, err := openStore(config, options.DataDir, options.SearchAttributes)
	if err != nil {
		return nil, err
	}
	config.Persistence = database

	server, err := temporal.NewServer(serverOptions(config, logger)...)
	if err != nil {
		return nil, fmt.Errorf("assemble the embedded Temporal server: %w", err)
	}
	t := &Temporal{address: frontend.String(), server: server, logger: logger}
	if err := server.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the embedded Temporal server on %s: %w", frontend, err), server.Stop())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Stop())
		}
	}()
	if err := t.prepare(ctx, options.SearchAttributes); err != nil {
		return nil, err
	}
	if t.ui, err = startUI(ctx, options.UIListen, t.address); err != nil {
		return nil, err
	}
	return t, nil
}

// prepare waits until the server answers and makes the search attributes usable.
func (t *Temporal) prepare(ctx context.Context, wanted map[string]enumspb.IndexedValueType) error {
	ctx, cancel := context.WithTimeout(ctx, readyBudget)
	defer cancel()
	c, err := client.NewLazyClient(client.Options{HostPort: t.address, Namespace: Namespace, Logger: t.logger})
	if err != nil {
		return fmt.Errorf("make a client for the embedded Temporal server: %w", err)
	}
	defer c.Close()
	err = poll(ctx, readyPoll, func() error {
		_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: Namespace})
		return err
	})
	if err != nil {
		return fmt.Errorf("the embedded Temporal server on %s does not answer: %w", t.address, err)
	}
	return ensureSearchAttributes(ctx, c, wanted)
}

// Address is the frontend's host:port.
func (t *Temporal) Address() string { return t.address }

// UIURL is the address of the Temporal UI, without a trailing slash.
func (t *Temporal) UIURL() string { return t.ui.url }

// WorkflowURL is the UI's page of a workflow, its newest run.
func (t *Temporal) WorkflowURL(workflowID string) string { return t.ui.workflow(workflowID) }

// Dial connects a client to the namespace of the laboratory. The caller closes it.
func (t *Temporal) Dial(ctx context.Context, options client.Options) (client.Client, error) {
	options.HostPort = t.address
	if options.DataConverter == nil {
		options.DataConverter = payload.NewGuard() // as the product's clients have
	}
	if options.Namespace == "" {
		options.Namespace = Namespace
	}
	if options.Logger == nil {
		options.Logger = t.logger
	}
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded Temporal server on %s: %w", t.address, err)
	}
	return c, nil
}

// Stop ends the UI and then the server; workers must have been stopped before.
func (t *Temporal) Stop() error {
	var errs []error
	if t.ui != nil {
		errs = append(errs, t.ui.stop())
	}
	if err := t.server.Stop(); err != nil {
		errs = append(errs, fmt.Errorf("stop the embedded Temporal server on %s: %w", t.address, err))
	}
	return errors.Join(errs...)
}

// reserve checks that address can be listened on and returns it with its port filled in. The server opens its own
// listeners and ends the whole process when it cannot, so that a port in use must be found here.
func reserve(address string) (*net.TCPAddr, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf(
			"cannot listen on %s (give host:port with a free port, for example 127.0.0.1:7233): %w", address, err,
		)
	}
	tcp, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return nil, fmt.Errorf("release %s: %w", address, err)
	}
	if !ok {
		return nil, fmt.Errorf("%s is not a TCP address", address)
	}
	return tcp, nil
}

// poll asks until there is no error, and returns the last one when ctx ends first.
func poll(ctx context.Context, every time.Duration, ask func() error) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}
