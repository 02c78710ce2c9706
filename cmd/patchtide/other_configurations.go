package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/internal/pollers"
)

// askedFor is how long a command that needs no Temporal waits for one.
const askedFor = 2 * time.Second

// askOtherConfigurations asks the Temporal that the configuration leads to, where one answers, which workers know
// another configuration.
func askOtherConfigurations(ctx context.Context, loaded *config.Config) []pollers.OtherConfiguration {
	ctx, cancel := context.WithTimeout(ctx, askedFor)
	defer cancel()
	c, _, err := dial(ctx, loaded.Settings, slog.New(slog.DiscardHandler), payload.NewPlain())
	if err != nil {
		return nil // nobody is asked: `patchtide doctor` tells why
	}
	defer c.Close()
	return otherConfigurations(ctx, c, loaded)
}

// otherConfigurations are the workers that know another configuration; none where Temporal does not tell.
func otherConfigurations(
	ctx context.Context, queues pollers.Queues, loaded *config.Config,
) []pollers.OtherConfiguration {
	now := time.Now()
	workers, err := pollers.Workers(ctx, queues, now)
	if err != nil {
		return nil
	}
	others, err := pollers.OtherConfigurations(workers, now, loaded)
	if err != nil {
		return nil // loaded has been checked
	}
	return others
}

// warnOtherConfigurations tells of the workers that know another configuration than the file that is here: what was
// asked for is done by what they know. An operator's machine needs no file, and then nothing is compared.
func warnOtherConfigurations(cmd *cobra.Command, queues pollers.Queues) {
	loaded, err := loadConfig(cmd)
	if err != nil {
		return
	}
	ctx, stop := context.WithTimeout(cmd.Context(), askedFor)
	defer stop()
	printOtherConfigurations(cmd.ErrOrStderr(), otherConfigurations(ctx, queues, loaded))
}

func printOtherConfigurations(out io.Writer, others []pollers.OtherConfiguration) {
	for _, other := range others {
		line(out, "warning: %s: %s", other.Says, other.Mend)
	}
}
