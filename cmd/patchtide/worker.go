package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/internal/worker"
)

func newWorker() *cobra.Command {
	return &cobra.Command{
		Use:     "worker",
		Short:   "Run the worker that carries out waves",
		Example: `patchtide worker --config /etc/patchtide/patchtide.yaml`,
		Long: "Run the worker that carries out waves. Temporal is found by TEMPORAL_* variables or a profile, AWS by " +
			"the SDK's default chain. It needs no long-lived keys: an instance or task role that may assume each " +
			"account's role.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := loadWorkerConfig(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), loaded, cmd.ErrOrStderr())
		},
	}
}

// serve runs the worker until ctx ends.
func serve(ctx context.Context, loaded *config.Config, stderr io.Writer) error {
	logger, err := newLogger(loaded.Settings, stderr)
	if err != nil {
		return &exitError{code: exitUsage, cause: err}
	}
	temporal, options, err := dial(ctx, loaded.Settings, logger, payload.NewGuard())
	if err != nil {
		return err
	}
	defer temporal.Close()
	aws, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithLogger(sdkLog(logger)))
	if err != nil {
		return fmt.Errorf("AWS configuration: %w", err)
	}
	store, err := worker.WhileUnreachable(ctx, logger, "the journal's key", func() (*evidence.Store, error) {
		return openEvidence(ctx, loaded, aws)
	})
	if err != nil {
		return err
	}
	defer func() {
		if err := store.Close(); err != nil {
			logger.Error("close the evidence store", "error", err)
		}
	}()
	running, err := worker.Start(ctx, worker.Options{
		Client: temporal, Namespace: options.Namespace, Config: loaded, AWS: aws, Evidence: store, Logger: logger,
		Version: version(),
	})
	if err != nil {
		return err
	}
	logger.Info("worker started", "namespace", options.Namespace, "queues", running.Queues(), "plans", loaded.PlanNames())
	<-ctx.Done()
	logger.Info("worker stops; running steps are taken over by the next one")
	running.Stop()
	return nil
}

// sdkLog lets the AWS SDK's own remarks, which are about connections and checksums, come as debug lines of ours.
func sdkLog(logger *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(_ logging.Classification, format string, args ...any) {
		logger.Debug(fmt.Sprintf(format, args...), "from", "aws sdk")
	})
}

func newLogger(settings config.Settings, out io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(settings.LogLevel)); err != nil {
		return nil, fmt.Errorf("log_level: %w", err)
	}
	if settings.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})), nil
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level})), nil
}
