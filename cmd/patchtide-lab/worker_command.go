package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/lab/isolation"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/internal/worker"
)

// workerOptions are the flags of the worker alone.
type workerOptions struct {
	temporal string
	aws      string
	speed    float64
	scenario string
	data     string
}

func (o *workerOptions) check(cmd *cobra.Command) error {
	wrong := func(format string, args ...any) error {
		return &usageError{cmd.CommandPath(), fmt.Errorf(format, args...)}
	}
	if _, _, err := net.SplitHostPort(o.temporal); err != nil {
		return wrong("--temporal %q: must be host:port, for example 127.0.0.1:7233", o.temporal)
	}
	if endpoint, err := url.Parse(o.aws); err != nil || endpoint.Scheme != "http" || endpoint.Host == "" {
		return wrong("--aws %q: must be the simulated AWS's address, for example http://127.0.0.1:4566", o.aws)
	}
	if o.speed <= 0 {
		return wrong("--speed %g: must be more than 0, and the same as the simulated AWS's", o.speed)
	}
	if o.data == "" {
		return wrong(
			"--data: name the folder that keeps evidence and the journal's key; every worker of a laboratory has the same",
		)
	}
	return nil
}

func newWorker(start workerStarter) *cobra.Command {
	var options workerOptions
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Run Patchtide's worker alone, in a process that may be killed",
		Long: "Run Patchtide's worker alone, against a Temporal server and a simulated AWS that are already up, to see " +
			"what a wave does\n" +
			"when its worker dies: kill it at any moment and start it again. Several may run at once.\n" +
			"Speed and scenario must be those of the simulated AWS.",
		Example: "  patchtide-lab temporal --data ./lab-data\n  patchtide-lab aws --speed 60\n" +
			"  patchtide-lab worker --temporal 127.0.0.1:7233 --aws http://127.0.0.1:4566 --speed 60 --data ./lab-data",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.check(cmd); err != nil {
				return err
			}
			return workAlone(cmd.Context(), options, start, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.temporal, "temporal", "127.0.0.1:7233", "address of the Temporal server, host:port")
	flags.StringVar(&options.aws, "aws", "http://127.0.0.1:4566", "address of the simulated AWS")
	flags.Float64Var(&options.speed, "speed", 60, "how many seconds of the simulated AWS pass in one of ours")
	flags.StringVar(&options.scenario, "scenario", "healthy", "the simulated AWS's scenario, for its made-up keys")
	flags.StringVar(&options.data, "data", "", "folder that keeps evidence and the journal's key")
	return cmd
}

// workAlone cuts this process off from real AWS and runs the worker until ctx ends.
func workAlone(ctx context.Context, options workerOptions, start workerStarter, stdout, stderr io.Writer) (err error) {
	scenario, err := world.LoadScenario(options.scenario)
	if err != nil {
		return err
	}
	cut, err := isolation.Enter(isolation.Options{
		Endpoint:    options.aws,
		AccessKeyID: scenario.Home.AccessKeyID, SecretAccessKey: scenario.Home.SecretAccessKey,
		Region: firstRegion(scenario), Others: externalIDs(scenario),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cut.Leave()) }()
	if err := os.MkdirAll(options.data, 0o700); err != nil {
		return fmt.Errorf("make the folder for evidence: %w", err)
	}
	connection, err := client.DialContext(ctx, client.Options{
		HostPort: options.temporal, Namespace: lab.Namespace, DataConverter: payload.NewGuard(),
		Logger: worker.Log(logger(stderr)),
	})
	if err != nil {
		return fmt.Errorf( //nolint:staticcheck // a name
			"Temporal at %s does not answer: %w; start it with `patchtide-lab temporal`",
			options.temporal,
			err,
		)
	}
	defer connection.Close()
	stop, err := start(
		ctx, workerInput{Temporal: connection, HTTP: cut.HTTPClient, Speed: options.speed, Folder: options.data, Log: stderr},
	)
	if err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	defer stop()
	fmt.Fprintf(stdout, "Worker       of %s and %s, evidence in %s\n", options.temporal, options.aws, options.data)
	stopIt(stdout)
	<-ctx.Done()
	return nil
}
