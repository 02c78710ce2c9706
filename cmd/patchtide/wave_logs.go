package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/pending"
	"github.com/patchtide/patchtide/internal/wavelog"
)

func newWaveLogs() *cobra.Command {
	follow := false
	cmd := &cobra.Command{
		Use:   "logs WAVE",
		Short: "Tell what a wave did, in order",
		Example: `patchtide wave logs wave-web-20261122-082540
patchtide wave logs wave-web-20261122-082540 --follow`,
		Long: "Tell what a wave did, in order: its states, what people decided and why, each step of each instance, " +
			"failures and holds with their reasons; last, what it waits for now. It is read from Temporal's histories and " +
			"needs no worker. Once Temporal has forgotten the wave, or while it is away, the evidence that the " +
			"configuration file names still tells decisions and results. --follow goes on until the wave has closed; with " +
			"--json each event is a " +
			"document on a line of its own. Exit code 0 however the wave ended.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			read := func(c client.Client) error { return tellLogs(cmd, c, args[0], follow) }
			return withWave(cmd, args[0], read, logsAway)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the wave has closed")
	printsJSON(cmd)
	return cmd
}

// logged is what the log of a wave is read from.
type logged interface {
	wavelog.Histories
	pending.Describer
}

func tellLogs(cmd *cobra.Command, temporal logged, wave string, follow bool) error {
	ctx := cmd.Context()
	tell := eventWriter(cmd.OutOrStdout(), asJSON(cmd))
	reader := wavelog.New(temporal, wave)
	events, err := reader.Read(ctx)
	known := true // to Temporal
	var forgotten *serviceerror.NotFound
	if errors.As(err, &forgotten) {
		events, err = eventsOfEvidence(cmd, wave)
		follow, known = false, false
	}
	if err != nil {
		return err
	}
	for _, event := range events {
		if err := tell(event); err != nil {
			return err
		}
	}
	if known && !asJSON(cmd) { // as a document it would be no event
		if waits, err := pending.Read(ctx, temporal, wave); err == nil {
			printWaits(cmd.OutOrStdout(), waits)
		}
	}
	if !follow {
		return nil
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	away := false
	reader.Follow(ctx, func(event wavelog.Event) {
		away = false
		if err := tell(event); err != nil {
			stop(err) // whoever read it is gone
		}
	}, func(err error) {
		if !away {
			line(
				cmd.ErrOrStderr(),
				"patchtide: Temporal does not answer (%s); the wave goes on without it being watched, and so does this",
				plain(err),
			)
		}
		away = true
	})
	if cmd.Context().Err() != nil {
		return nil // who follows a log ends it so
	}
	return context.Cause(ctx)
}

// eventWriter writes an event on a line.
func eventWriter(out io.Writer, asJSON bool) func(wavelog.Event) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return func(event wavelog.Event) error { return encoder.Encode(event) }
	}
	return func(event wavelog.Event) error {
		_, err := fmt.Fprintln(out, lineOf(out, "%s  %s  %s", console.Moment(event.At), event.Subject(), event.Said()))
		return err
	}
}

// eventsOfEvidence reads what the evidence store knows of a wave that Temporal has forgotten.
func eventsOfEvidence(cmd *cobra.Command, wave string) ([]wavelog.Event, error) {
	document, err := evidenceOf(cmd, &unknownWaveError{wave})
	if err != nil {
		return nil, err
	}
	return wavelog.FromEvidence(document.Status, document.Result), nil
}
