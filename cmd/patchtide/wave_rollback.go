package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

const rollBackHelp = `Put back what a wave patched.

A wave that runs takes the verb roll_back while it patches and on hold: it begins nothing more, and puts back its
current stage, or with --scope wave all of it. A wave that has closed is put back whole, from its evidence, by a
workflow of its own, which this command starts. That one is refused when more than the patches would be lost (the
backup is older than the plan's rollback_max_age, or packages or what deployments leave changed since), unless
--accept-loss; the refusal lists what. Exit codes: 0 it is let in, with --watch put back, whatever else the wave came
to; 1 failed or refused; 3 with --watch on hold.`

// rollBack is what the command was asked.
type rollBack struct {
	wave       string
	decision   patch.Decision
	acceptLoss bool
	how        starting
}

func newWaveRollBack() *cobra.Command {
	asked := rollBack{decision: patch.Decision{Verb: patch.RollBack}}
	cmd := &cobra.Command{
		Use:   patch.RollBack.Command() + " WAVE",
		Short: "Put back every instance that a wave patched, also after it closed",
		Long:  rollBackHelp,
		Example: exampleOf(patch.RollBack) + `
patchtide wave roll-back wave-web-20261122-082540 --reason "the new openssl breaks logins" --accept-loss --watch`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked.wave = args[0]
			// The stricter of the two requests: both need an actor and a reason.
			if err := rightVerb(cmd, asked.decision); err != nil {
				return err
			}
			if err := names.CheckRollsBack(asked.wave); err != nil {
				wave, _ := names.RolledBackBy(asked.wave)
				return wrongUsage(cmd, fmt.Errorf("%w: %s", err, names.VerbCommand(patch.RollBack, wave)))
			}
			return withTemporal(cmd, func(c client.Client) error {
				running, err := isRunning(cmd.Context(), c, asked.wave)
				switch {
				case err != nil:
					return err
				case running && asked.acceptLoss:
					return wrongUsage(cmd, fmt.Errorf("%s still runs: --accept-loss is for a wave that has closed", asked.wave))
				case running && asked.how.noWait:
					return wrongUsage(cmd, fmt.Errorf("%s still runs: --no-wait is for a wave that has closed", asked.wave))
				case running:
					return tellRollBack(cmd, c, asked)
				case asked.decision.Point != (patch.Point{}):
					return wrongUsage(cmd, fmt.Errorf("%s has closed, and so is what %s was for: nothing was sent. It is rolled back "+
						"whole, every stage of it; where that is meant: %s", asked.wave,
						strings.Join(asked.decision.Flags(), " "), names.VerbCommand(patch.RollBack, asked.wave)))
				case asked.decision.Scope == patch.ScopeStage:
					return wrongUsage(cmd, fmt.Errorf("%s has closed: it is rolled back whole, without --scope stage", asked.wave))
				}
				if err := left(cmd, c, asked.wave); err != nil {
					return err
				}
				return startRollBack(cmd, c, asked)
			})
		},
	}
	flags := cmd.Flags()
	verbFlags(cmd, &asked.decision)
	decides(cmd, &asked.decision.Actor, &asked.decision.Reason, "who decides", "why; it is kept in the evidence")
	flags.BoolVar(
		&asked.acceptLoss, "accept-loss", false, "of a wave that has closed: go on although more than the patches is lost",
	)
	asked.how.flags(cmd)
	printsJSON(cmd)
	return cmd
}

// isRunning reports whether a wave runs. One that Temporal does not know has closed long ago, or never was: its
// evidence tells.
func isRunning(ctx context.Context, c client.Client, wave string) (bool, error) {
	description, err := c.DescribeWorkflowExecution(ctx, wave, "")
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("ask Temporal whether wave %s runs: %w", wave, err)
	}
	return description.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

// left is an error for a wave that neither Temporal nor the evidence knows: most likely a misspelt one. An evidence
// that cannot be read here is read by the worker.
func left(cmd *cobra.Command, c client.Client, wave string) error {
	_, err := c.DescribeWorkflowExecution(cmd.Context(), wave, "")
	var missing *serviceerror.NotFound
	if !errors.As(err, &missing) {
		return nil
	}
	var never error
	_ = withEvidence(cmd, func(where string, store *evidence.Store) error {
		ids, err := store.ListWaves(cmd.Context())
		if err == nil && !slices.Contains(ids, wave) {
			never = fmt.Errorf("%w, and %s has no evidence of it; see which there are: patchtide wave list",
				&unknownWaveError{wave}, where)
		}
		return err
	})
	return never
}

// tellRollBack sends the verb to a wave that runs.
func tellRollBack(cmd *cobra.Command, c client.Client, asked rollBack) error {
	var accepted *workflows.VerbAccepted
	err := served(cmd, c, func() error {
		meant, err := aim(cmd, c, asked.wave, asked.decision)
		if err == nil {
			accepted, err = tell(cmd.Context(), c, asked.wave, meant)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case asked.how.watch:
		return watchWave(cmd, c, asked.wave, watching{untilHold: true, putsBack: true})
	}
	return showAccepted(cmd, asked.wave, accepted)
}

// startRollBack starts the workflow that puts a closed wave back, and tells whether it may: one that has left no
// evidence, and a loss that nobody has accepted, are refused.
func startRollBack(cmd *cobra.Command, c client.Client, asked rollBack) error {
	id := names.RollBack(asked.wave)
	return start(cmd, c, asked.how, asked.wave, func() (client.WorkflowRun, error) {
		return begin(
			cmd.Context(),
			c,
			names.RollBackWave,
			id,
			fmt.Sprintf("puts back wave %s, started by %s", asked.wave, asked.decision.Actor),
			names.WaveDetails(id, asked.decision.Reason),
			workflows.RollBackRequest{
				WaveID: asked.wave, Actor: asked.decision.Actor, Reason: asked.decision.Reason, AcceptLoss: asked.acceptLoss,
				Blame: asked.decision.Blame,
			},
			fmt.Sprintf("wave %s is being rolled back already; see `patchtide wave show %s`", asked.wave, id),
		)
	})
}
