package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/pending"
)

// standing is how a wave stands, what it waits for while it runs, and what people are told of both.
type standing struct {
	patch.WaveStatus
	Waits *patch.Waits   `json:"waits,omitempty"`
	Told  brief.Document `json:"told"` // times in UTC, as documents have them
}

func standingOf(status patch.WaveStatus, waits *patch.Waits) standing {
	known := patch.Waits{}
	if waits != nil {
		known = *waits
	}
	return standing{WaveStatus: status, Waits: waits, Told: brief.Write(status, known, brief.UTC, brief.UTC)}
}

// showWave shows where a wave stands. What it waits for is Temporal's to tell, whether or not a worker answers.
func showWave(cmd *cobra.Command, c client.Client, wave string) error {
	var status *patch.WaveStatus
	err := sayingUnserved(cmd.Context(), c, cmd.ErrOrStderr(), func(ctx context.Context) (err error) {
		status, err = awaitWave(ctx, c, wave)
		return err
	})
	var unknown *unknownWaveError
	switch {
	case errors.As(err, &unknown):
		return showForgotten(cmd, unknown)
	case err != nil && cmd.Context().Err() != nil:
		return err
	case err != nil:
		return showUnanswered(cmd, c, wave, err)
	case status.State == patch.StateClosed:
		return showStatus(cmd, c, *status)
	}
	// One that failed before it had a plan or a lock keeps the state in which it did, and its error says why.
	closed, failure := closedWith(cmd.Context(), c, wave)
	var end *terminatedError
	switch {
	case errors.As(failure, &end):
		return showTerminated(cmd, *status, end)
	case closed && failure != nil:
		return failure
	}
	var waits *patch.Waits
	if read, err := readWaits(cmd.Context(), c, *status); err == nil {
		waits = &read
	}
	if err := show(cmd, standingOf(*status, waits), printStanding); err != nil {
		return err
	}
	return exitOf(*status)
}

func printStanding(out io.Writer, stands standing) error {
	waits := patch.Waits{}
	if stands.Waits != nil {
		waits = *stands.Waits
	}
	_, err := io.WriteString(out, console.Status(stands.WaveStatus, waits, console.PageOf(out)))
	return err
}

// unanswered is what Temporal holds of a wave for which no worker answers.
type unanswered struct {
	listed
	Waits patch.Waits `json:"waits"`
}

// showUnanswered shows what Temporal holds of a wave, and fails as the question to the wave did.
func showUnanswered(cmd *cobra.Command, c client.Client, wave string, asked error) error {
	ctx, stop := context.WithTimeout(cmd.Context(), lookWait)
	defer stop()
	described, err := c.DescribeWorkflowExecution(ctx, wave, "")
	if err != nil {
		return asked // nor does Temporal answer
	}
	closed, failure := closedWith(ctx, c, wave)
	var end *terminatedError
	switch {
	case errors.As(failure, &end):
		return showTerminatedUnanswered(cmd, described.GetWorkflowExecutionInfo(), end)
	case closed && failure != nil:
		return failure // no worker could tell more
	}
	held := unanswered{listed: listedOf(described.GetWorkflowExecutionInfo())}
	if held.Waits, err = pending.Read(ctx, c, wave); err != nil {
		return asked
	}
	if err := show(cmd, held, printUnanswered); err != nil {
		return err
	}
	return fmt.Errorf("no worker answers for %s, so that this is what Temporal holds of it; start one: patchtide worker",
		wave)
}

func printUnanswered(out io.Writer, held unanswered) error {
	said := held.WaveID
	if held.Plan != "" {
		said += "  plan " + held.Plan
	}
	said += "  " + held.told()
	if held.Stage != "" {
		said += ": " + held.Stage
	}
	line(out, "%s  started %s", said, console.Moment(held.Started))
	printWaits(out, held.Waits)
	if held.Closed == nil {
		line(out, "Which instances are under way, and may be out of service: patchtide wave logs %s", held.WaveID)
	}
	return nil
}

// printWaits writes what a wave waits for, of which no more is known.
func printWaits(out io.Writer, waits patch.Waits) {
	for i, wait := range brief.WaitedFor(patch.WaveStatus{}, waits, console.Clock) {
		if i == 0 {
			line(out, "It waits for:")
		}
		line(out, "  %s", console.PageOf(out).Wrap(wait.String(), waitIndent))
	}
}

// waitIndent is where a line about a wait goes on.
const waitIndent = 4
