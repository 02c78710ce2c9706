package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
)

// watchEvery is how often a watched wave is asked: often enough to feel live, seldom enough to be no load.
const watchEvery = time.Second

func newWaveWatch() *cobra.Command {
	untilHold := false
	cmd := &cobra.Command{
		Use:   "watch WAVE",
		Short: "Watch a wave until it closes",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withTemporal(cmd, func(c client.Client) error { return watchWave(cmd, c, args[0], untilHold) })
		},
	}
	printsJSON(cmd)
	cmd.Flags().BoolVar(&untilHold, "until-hold", false, "end with exit code 3 when a person is asked")
	return cmd
}

// watchWave shows a wave until it closes, or with untilHold until it waits for a person.
func watchWave(cmd *cobra.Command, c client.Client, wave string, untilHold bool) error {
	ctx, screen := cmd.Context(), cmd.OutOrStdout()
	if asJSON(cmd) {
		screen = io.Discard
	}
	picture := console.New(screen, os.Environ(), time.Now)
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	var details console.Details
	for {
		status, err := askWave(ctx, c, wave)
		if err != nil {
			return err
		}
		details = console.Ask(ctx, c, *status, details)
		picture.Update(console.View(*status, details))
		ended, err := closedWith(ctx, c, wave)
		if ended && status.State != patch.StateClosed {
			// It closed before it had a plan or a lock: the error says why, and nothing was touched.
			picture.Done()
			return err
		}
		if ended || untilHold && waits(status.State) {
			picture.Done()
			return showStatus(cmd, *status)
		}
		select {
		case <-ctx.Done():
			picture.Done()
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func waits(state patch.WaveState) bool {
	return state == patch.StateOnHold || state == patch.StateAwaitingApproval || state == patch.StatePaused
}

// closedWith tells whether the wave's workflow has closed, and with which error.
func closedWith(ctx context.Context, c client.Client, wave string) (bool, error) {
	description, err := c.DescribeWorkflowExecution(ctx, wave, "")
	if err != nil {
		return false, err
	}
	if description.GetWorkflowExecutionInfo().GetCloseTime() == nil {
		return false, nil
	}
	if err := c.GetWorkflow(ctx, wave, "").Get(ctx, nil); err != nil {
		return true, fmt.Errorf("wave %s: %s", wave, plain(err))
	}
	return true, nil
}

// plain is an error in its author's words, without Temporal's wrapping.
func plain(err error) string {
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		return typed.Message()
	}
	return err.Error()
}

// showStatus writes a wave's status and makes its exit code.
func showStatus(cmd *cobra.Command, status patch.WaveStatus) error {
	if err := show(cmd, status, printStatus); err != nil {
		return err
	}
	return exitOf(status)
}

// printStatus writes a wave's status for a person.
func printStatus(out io.Writer, status patch.WaveStatus) error {
	_, err := io.WriteString(out, console.Status(status))
	return err
}
