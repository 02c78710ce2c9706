package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

func newWave() *cobra.Command {
	commands := []*cobra.Command{
		newWaveStart(), newWaveList(), newWaveShow(), newWaveWatch(), newWaveLogs(), newWaveDiff(),
	}
	for _, verb := range patch.Verbs() {
		if verb == patch.RollBack { // also of a wave that has closed, which takes no verb
			commands = append(commands, newWaveRollBack())
			continue
		}
		commands = append(commands, newVerb(verb))
	}
	return parent("wave", "Start, watch and steer waves", commands...)
}

func newWaveStart() *cobra.Command {
	var id, actor, reason string
	var how starting
	var only onlyFlags
	cmd := &cobra.Command{
		Use:     "start PLAN",
		Short:   "Start a wave of a plan",
		Example: `patchtide wave start web --reason "monthly patches" --watch`,
		Long: "Start a wave of a plan, and tell what its preflight says of it. Exit codes: 0 it was let in, or its " +
			"preflight takes long and goes on; 1 it was refused, with the code and why, or no worker took it within " +
			patience.String() + ", and it waits in Temporal.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if id == "" {
				id = names.ScheduledWave(args[0], time.Now())
			}
			if err := names.CheckNewWaveID(id); err != nil {
				return err
			}
			return withTemporal(cmd, func(c client.Client) error {
				warnOtherConfigurations(cmd, c)
				return start(cmd, c, how, "", func() (client.WorkflowRun, error) {
					return begin(
						cmd.Context(),
						c,
						names.PatchWave,
						id,
						names.WaveSummary(args[0], actor),
						names.WaveDetails(id, reason),
						workflows.WaveRequest{Plan: args[0], Actor: actor, Reason: reason, Only: only.only()},
						fmt.Sprintf("a wave %s runs already, or has run: an id is used once; see `patchtide wave show %s`", id, id),
					)
				})
			})
		},
	}
	cmd.Flags().StringVar(&id, "id", "", "the wave's id (default: wave-PLAN- and the time)")
	how.flags(cmd)
	only.flags(cmd)
	decides(cmd, &actor, &reason, "who starts it", "why")
	printsJSON(cmd)
	return cmd
}

func newWaveShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show WAVE",
		Short:   "Show where a wave stands",
		Example: `patchtide wave show wave-web-20261122-082540`,
		Long: "Show where a wave stands, and what it waits for. Where no worker answers it shows what Temporal holds of " +
			"it. Once Temporal has forgotten it, or while it is away, the evidence that the configuration file names " +
			"tells how it ended or stood. " +
			"Exit code 3 where it waits for a person, 1 where it ended badly.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withWave(cmd, args[0], func(c client.Client) error { return showWave(cmd, c, args[0]) }, showAway)
		},
	}
	printsJSON(cmd)
	return cmd
}

// askWave asks a wave for its status.
func askWave(ctx context.Context, c console.Asker, wave string) (*patch.WaveStatus, error) {
	value, err := c.QueryWorkflow(ctx, wave, "", names.QueryStatus)
	var missing *serviceerror.NotFound
	var away *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	switch {
	case errors.As(err, &missing):
		return nil, &unknownWaveError{wave}
	case err != nil && errors.Is(ctx.Err(), context.Canceled): // it was given up: whoever did so says why
		return nil, fmt.Errorf("ask wave %s for its status: nobody answered", wave)
	case errors.As(err, &away):
		return nil, fmt.Errorf("ask wave %s for its status: Temporal does not answer: %w", wave, err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late):
		return nil, silenceOf(err, fmt.Errorf("ask wave %s for its status: no answer in time, of Temporal or of a worker; "+
			"`patchtide doctor` tells which is away", wave))
	case err != nil:
		return nil, silenceOf(err, fmt.Errorf("ask wave %s for its status: %w; a worker must run to answer", wave, err))
	}
	var status patch.WaveStatus
	if err := value.Get(&status); err != nil {
		return nil, fmt.Errorf("read the status of wave %s: %w", wave, err)
	}
	return &status, nil
}

// exitOf is a wave's exit code: 3 where it waits for a person, 4 where it did not reach every member, 5 where it left
// an image stale that it was to renew, 1 where it ended badly.
func exitOf(status patch.WaveStatus) error {
	switch {
	case status.Asks():
		return &exitError{code: exitOnHold}
	case status.State == patch.StateClosed && status.Outcome == patch.SucceededWithGaps:
		return &exitError{code: exitGaps}
	case status.State == patch.StateClosed && status.Outcome == patch.SucceededImageStale:
		return &exitError{code: exitStale}
	case status.State == patch.StateClosed && !status.EndedWell():
		return &exitError{code: exitFailed}
	}
	return nil
}

// operatorName is who the machine says is at the keyboard.
func operatorName() string {
	if name := os.Getenv("PATCHTIDE_ACTOR"); name != "" {
		return name
	}
	if who, err := user.Current(); err == nil {
		return who.Username
	}
	return ""
}
