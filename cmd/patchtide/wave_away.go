package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/wavelog"
)

// awayError is a Temporal that does not answer.
type awayError struct {
	address string
	cause   error
}

func (e *awayError) Error() string {
	return fmt.Sprintf("Temporal at %s does not answer: %v; if the address is right, start the server: waves stand still "+
		"without it and go on when it is back; else set TEMPORAL_ADDRESS, a profile, or --temporal-address",
		e.address, e.cause)
}

func (e *awayError) Unwrap() error { return e.cause }

// withWave is withTemporal of a command that reads one wave. Where Temporal does not answer, byEvidence tells what the
// wave's evidence has, if there is any; the command fails all the same, for what is told may be old.
func withWave(
	cmd *cobra.Command, wave string, do func(c client.Client) error,
	byEvidence func(*cobra.Command, *activities.WaveDocument) error,
) error {
	err := withTemporal(cmd, do)
	var away *awayError
	if !errors.As(err, &away) || cmd.Context().Err() != nil {
		return err
	}
	document, none := evidenceOf(cmd, &unknownWaveError{wave})
	if none != nil {
		return err // which says what there is to do
	}
	if failed := byEvidence(cmd, document); failed != nil {
		return failed
	}
	return err
}

// showAway shows how a wave stood when it wrote its evidence last.
func showAway(cmd *cobra.Command, document *activities.WaveDocument) error {
	status := document.Status
	status.Verbs = nil // nobody takes them
	return show(cmd, toldByEvidence{standingOf(status, nil), true}, printAway)
}

func printAway(out io.Writer, told toldByEvidence) error {
	line(out, "Temporal does not answer; the wave's evidence tells how it stood at %s, and not what it did after that:",
		console.Moment(told.Since))
	return printStanding(out, told.standing)
}

// logsAway tells the decisions and results that a wave's evidence has.
func logsAway(cmd *cobra.Command, document *activities.WaveDocument) error {
	tell := eventWriter(cmd.OutOrStdout(), asJSON(cmd))
	for _, event := range wavelog.FromEvidence(document.Status, document.Result) {
		if err := tell(event); err != nil {
			return err
		}
	}
	line(cmd.ErrOrStderr(), "Temporal does not answer; that is what the wave's evidence tells, as it stood at %s",
		console.Moment(document.Status.Since))
	return nil
}
