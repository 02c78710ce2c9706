package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

func newWave() *cobra.Command {
	return parent("wave", "Start, watch and steer waves",
		newWaveStart(), newWaveList(), newWaveShow(), newWaveWatch(), newWaveLogs(),
		newVerb(patch.Approve, "Let the stage that waits for approval begin"),
		newVerb(patch.Reject, "Refuse the stage that waits for approval: the wave ends"),
		newVerb(patch.Pause, "Begin no further instance until resume; one under way ends first"),
		newVerb(patch.Resume, "Go on after a pause"),
		newSetConcurrency(), newExtendWindow(),
		newVerb(patch.Retry, "Try the failed instances again, then go on"),
		newVerb(patch.Skip, "Leave the failed instances as they are (put back) and go on"),
		newWaveRollBack(),
		newVerb(patch.Abort, "Stop: what runs is put back or finished, nothing else is started"),
	)
}

func newWaveStart() *cobra.Command {
	var id, actor, reason string
	var watch bool
	cmd := &cobra.Command{
		Use:   "start PLAN",
		Short: "Start a wave of a plan",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if id == "" {
				id = names.ScheduledWave(args[0], time.Now())
			}
			return withTemporal(cmd, func(c client.Client) error {
				run, err := begin(cmd.Context(), c, names.PatchWave, id, names.WaveSummary(args[0], actor), names.WaveDetails(id, reason),
					workflows.WaveRequest{Plan: args[0], Actor: actor, Reason: reason},
					fmt.Sprintf("a wave %s runs already; see `patchtide wave show %s`", id, id))
				if err != nil {
					return err
				}
				if watch {
					return watchWave(cmd, c, id, watching{untilHold: true})
				}
				return show(cmd, started{WaveID: id, RunID: run.GetRunID()}, printStarted)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&id, "id", "", "the wave's id (default: wave-PLAN- and the time)")
	flags.BoolVar(&watch, "watch", false, "watch it until it closes or is on hold")
	decides(cmd, &actor, &reason, "who starts it", "why")
	printsJSON(cmd)
	return cmd
}

// started is a wave, or the roll back of one, that has just begun.
type started struct {
	WaveID   string `json:"wave_id"`
	RunID    string `json:"run_id"`
	PutsBack string `json:"puts_back,omitempty"` // the closed wave
}

func printStarted(out io.Writer, wave started) error {
	said := wave.WaveID
	if wave.PutsBack != "" {
		said = wave.WaveID + " puts " + wave.PutsBack + " back, which runs no more."
	}
	_, err := fmt.Fprintf(out, "%s\nWatch it: patchtide wave watch %s\n", said, wave.WaveID)
	return err
}

func newWaveShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show WAVE",
		Short: "Show where a wave stands",
		Long:  "Show where a wave stands. Exit code 3 where it waits for a person, 1 where it ended badly.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withTemporal(cmd, func(c client.Client) error {
				status, err := askWave(cmd.Context(), c, args[0])
				if err != nil {
					return err
				}
				if status.State == patch.StateClosed {
					return showStatus(cmd, *status)
				}
				// One that failed before it had a plan or a lock keeps the state in which it did, and its error says why.
				if closed, failure := closedWith(cmd.Context(), c, args[0]); closed && failure != nil {
					return failure
				}
				return showStatus(cmd, *status)
			})
		},
	}
	printsJSON(cmd)
	return cmd
}

// newVerb makes the command of one operators' verb.
func newVerb(verb patch.Verb, short string) *cobra.Command {
	var request workflows.VerbRequest
	return verbCommand(verb, short, &request)
}

func newSetConcurrency() *cobra.Command {
	var request workflows.VerbRequest
	cmd := verbCommand(patch.SetConcurrency, "Change how many groups of the current stage are worked on at once", &request)
	cmd.Flags().IntVar(&request.MaxParallelGroups, "max-parallel-groups", 0, "how many; running ones are let end when it is lowered")
	return cmd
}

func newExtendWindow() *cobra.Command {
	var request workflows.VerbRequest
	cmd := verbCommand(patch.ExtendWindow, "Let the wave's window close later", &request)
	cmd.Flags().StringVar(&request.Until, "until", "", "when it is to close, in RFC 3339 such as 2026-11-22T06:00:00+09:00; its cutoff keeps its distance from its end")
	return cmd
}

// verbCommand sends what its flags make of request.
func verbCommand(verb patch.Verb, short string, request *workflows.VerbRequest) *cobra.Command {
	cmd := &cobra.Command{
		Use:   strings.ReplaceAll(string(verb), "_", "-") + " WAVE",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := request.Validate(verb); err != nil {
				return usage(cmd, errors.New(plain(err)))
			}
			return withTemporal(cmd, func(c client.Client) error {
				accepted, err := tell(cmd.Context(), c, args[0], verb, *request)
				if err != nil {
					return err
				}
				return showAccepted(cmd, args[0], accepted)
			})
		},
	}
	decides(cmd, &request.Actor, &request.Reason, "who decides", "why; it is kept in the wave's evidence")
	printsJSON(cmd)
	return cmd
}

func showAccepted(cmd *cobra.Command, wave string, accepted *workflows.VerbAccepted) error {
	return show(cmd, accepted, func(out io.Writer, accepted *workflows.VerbAccepted) error {
		_, err := fmt.Fprintf(out, "%s takes %s. Watch it: patchtide wave watch %s\n", wave, accepted.Verb, wave)
		return err
	})
}

// tell sends a verb and waits until the wave has recorded or refused it.
func tell(ctx context.Context, c client.Client, wave string, verb patch.Verb, request workflows.VerbRequest) (*workflows.VerbAccepted, error) {
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: wave, UpdateName: string(verb), Args: []any{request}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	var accepted workflows.VerbAccepted
	if err == nil {
		err = handle.Get(ctx, &accepted)
	}
	if err != nil {
		return nil, fmt.Errorf("%s was not told %s: %s", wave, verb, plain(err))
	}
	return &accepted, nil
}

// askWave asks a wave for its status.
func askWave(ctx context.Context, c client.Client, wave string) (*patch.WaveStatus, error) {
	value, err := c.QueryWorkflow(ctx, wave, "", names.QueryStatus)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return nil, fmt.Errorf("there is no wave %s in this namespace", wave)
	case err != nil:
		return nil, fmt.Errorf("ask wave %s for its status: %w; a worker must run to answer", wave, err)
	}
	var status patch.WaveStatus
	if err := value.Get(&status); err != nil {
		return nil, fmt.Errorf("read the status of wave %s: %w", wave, err)
	}
	return &status, nil
}

// exitOf is a wave's exit code: 3 where it waits for a person, 1 where it ended badly.
func exitOf(status patch.WaveStatus) error {
	switch {
	case status.Asks():
		return &exitError{code: exitOnHold}
	case status.State == patch.StateClosed:
		// A roll back of a closed wave that did what it was asked ended well.
		putBack := status.PutsBack != "" && status.Outcome == patch.RolledBack
		if status.Outcome != patch.Succeeded && status.Outcome != patch.SucceededWithSkips && status.Outcome != patch.WouldRun && !putBack {
			return &exitError{code: exitFailed}
		}
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
