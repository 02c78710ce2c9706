package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/internal/schedules"
	"github.com/patchtide/patchtide/internal/worker"
)

// temporalOptions are Temporal's own: profile, environment and file by envconfig, with what our settings say on top.
func temporalOptions(settings config.Settings) (client.Options, error) {
	options, err := envconfig.LoadClientOptions(
		envconfig.LoadClientOptionsRequest{ConfigFileProfile: settings.TemporalProfile},
	)
	if err != nil {
		return client.Options{}, &exitError{
			code: exitUsage,
			cause: fmt.Errorf( //nolint:staticcheck // a name
				"Temporal's profile: %w", err),
		}
	}
	if settings.TemporalAddress != "" {
		options.HostPort = settings.TemporalAddress
	}
	if settings.TemporalNamespace != "" {
		options.Namespace = settings.TemporalNamespace
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	if options.HostPort == "" {
		options.HostPort = client.DefaultHostPort
	}
	return options, nil
}

// dial connects to Temporal; the error names the address and what to set.
func dial(
	ctx context.Context, settings config.Settings, logger *slog.Logger, data converter.DataConverter,
) (client.Client, client.Options, error) {
	options, err := temporalOptions(settings)
	if err != nil {
		return nil, options, err
	}
	options.Logger, options.DataConverter = worker.Log(logger), data
	options.ConnectionOptions.GetSystemInfoTimeout = connectWait
	options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions, schedules.DialOption())
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, options, &awayError{options.HostPort, err}
	}
	return c, options, nil
}

// operatorClient is a quiet client for one command, which shows people what it reads. An operator's machine needs no
// configuration file: settings come from flags and the environment where there is none.
func operatorClient(cmd *cobra.Command) (client.Client, error) {
	settings, err := config.Process(cmd.Flags())
	if err != nil {
		return nil, &exitError{code: exitUsage, cause: err}
	}
	var c client.Client
	sayingAfter(cmd.ErrOrStderr(), noConnection, func() {
		c, _, err = dial(cmd.Context(), settings, slog.New(slog.DiscardHandler), payload.NewPlain())
	})
	return c, err
}
