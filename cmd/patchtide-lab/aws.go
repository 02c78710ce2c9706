package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Budgets of the simulator's HTTP server.
const (
	headerBudget   = 10 * time.Second
	shutdownBudget = 5 * time.Second // requests under way when it stops
)

// awsOptions are the flags of everything that runs the simulated AWS.
type awsOptions struct {
	listen   string
	speed    float64
	scenario string
}

func (o *awsOptions) addFlags(cmd *cobra.Command, listen string, speed float64) {
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", listen, "address of the simulated AWS, host:port; port 0 takes a free one")
	flags.Float64Var(&o.speed, "speed", speed, "how many seconds of the simulated AWS pass in one of ours")
	flags.StringVar(&o.scenario, "scenario", "healthy",
		"what AWS holds and what goes wrong there: "+strings.Join(world.ScenarioNames(), ", ")+", or a YAML file")
}

// check refuses what cannot work before anything is started.
func (o *awsOptions) check(cmd *cobra.Command) error {
	if o.speed <= 0 {
		return &usageError{cmd.CommandPath(), fmt.Errorf("--speed %g: must be more than 0, for example 60", o.speed)}
	}
	if _, _, err := net.SplitHostPort(o.listen); err != nil {
		return &usageError{
			cmd.CommandPath(), fmt.Errorf("--listen %q: must be host:port, for example 127.0.0.1:4566: %w", o.listen, err),
		}
	}
	return nil
}

func newAWS() *cobra.Command {
	var options awsOptions
	cmd := &cobra.Command{
		Use:   "aws",
		Short: "Serve the simulated AWS alone",
		Long: "Serve the simulated AWS alone, for the AWS CLI, the SDKs and a Patchtide worker of your own.\n" +
			"It has no authentication: keep it on loopback.",
		Example: "  patchtide-lab aws --scenario bad-patch\n  aws --endpoint-url http://127.0.0.1:4566 ssm " +
			"describe-instance-information",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.check(cmd); err != nil {
				return err
			}
			simulator, err := startSimulator(options, logger(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			simulator.introduce(cmd.OutOrStdout())
			guide(cmd.OutOrStdout(), awsVariables(simulator.url, simulator.scenario))
			stopIt(cmd.OutOrStdout())
			return errors.Join(simulator.wait(cmd.Context()), simulator.stop())
		},
	}
	options.addFlags(cmd, "127.0.0.1:4566", 60)
	return cmd
}

// logger writes what a person must see to stderr.
func logger(stderr io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// simulator is a simulated AWS on a port.
type simulator struct {
	*awssim.Sim
	scenario *world.Scenario
	speed    float64
	url      string
	server   *http.Server
	done     chan error
}

func startSimulator(options awsOptions, log *slog.Logger) (*simulator, error) {
	scenario, err := world.LoadScenario(options.scenario)
	if err != nil {
		return nil, err
	}
	sim, err := awssim.New(awssim.Options{Scenario: scenario, Speed: options.speed, Logger: log})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", options.listen)
	if err != nil {
		return nil, fmt.Errorf("serve the simulated AWS on --listen %s: %w", options.listen, err)
	}
	s := &simulator{
		Sim: sim, scenario: scenario, speed: options.speed, url: "http://" + listener.Addr().String(),
		done: make(chan error, 1),
		server: &http.Server{
			Handler: sim, ReadHeaderTimeout: headerBudget,
			// Faults that lose a reply abort the handler on purpose; that is no news.
			ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		},
	}
	go func() { s.done <- s.server.Serve(listener) }()
	return s, nil
}

// introduce says what it is and where.
func (s *simulator) introduce(w io.Writer) {
	fmt.Fprintf(w, "Simulated AWS, scenario %s: %s\n", s.scenario.Name, s.scenario.Description)
	fmt.Fprintf(w, "A second here is %g seconds there.\n\nFleet        %s\n", s.speed, s.url)
}

func (s *simulator) region() string { return firstRegion(s.scenario) }

// firstRegion is the first one the scenario has machines in.
func firstRegion(scenario *world.Scenario) string {
	for _, account := range scenario.Accounts {
		for _, region := range account.Regions {
			return region.Name
		}
	}
	return "us-east-1"
}

// wait returns when ctx ends or the server fails.
func (s *simulator) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.done:
		return fmt.Errorf("serve the simulated AWS on %s: %w", s.url, err)
	}
}

func (s *simulator) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownBudget)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		return fmt.Errorf("stop the simulated AWS on %s: %w", s.url, errors.Join(err, s.server.Close()))
	}
	return nil
}
