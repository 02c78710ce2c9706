package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

func newFreeze() *cobra.Command {
	cmd := freezeCommand(names.UpdateFreeze, "Hold every wave between instances, in one account or everywhere",
		"Hold every wave between instances, in one account or everywhere, until `patchtide unfreeze`. An instance under "+
			"way ends first;\n"+
			"putting back is never held. A wave that is started meanwhile is refused.")
	cmd.AddCommand(newFreezeShow())
	return cmd
}

func newUnfreeze() *cobra.Command {
	cmd := freezeCommand(names.UpdateUnfreeze, "Lift a freeze",
		"Take back your freeze of one account or, without --account, the one of everything. What others froze stays so,\n"+
			"and so does an account that was frozen by itself; --for-all lifts what everybody froze there.")
	cmd.Example += "\npatchtide unfreeze --account production --for-all --reason \"incident 4711 is over\""
	return cmd
}

func freezeCommand(update, short, long string) *cobra.Command {
	var request workflows.FreezeRequest
	cmd := &cobra.Command{
		Use: update, Short: short, Long: long, Args: cobra.NoArgs,
		Example: "patchtide " + update + ` --account production --reason "incident 4711"
patchtide ` + update + ` --reason "incident 4711"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := request.Validate(); err != nil {
				return wrongUsage(cmd, errors.New(plain(err)))
			}
			return withTemporal(cmd, func(c client.Client) error { return sendFreeze(cmd, c, update, request) })
		},
	}
	cmd.Flags().StringVar(
		&request.Account, "account", "", "the account's name in the worker's configuration (default: everything)",
	)
	if update == names.UpdateUnfreeze {
		cmd.Flags().BoolVar(&request.ForAll, "for-all", false, "what others froze, too")
	}
	decides(cmd, &request.Actor, &request.Reason, "who says so", "why; whoever wants to go on will ask")
	printsJSON(cmd)
	return cmd
}

// sendFreeze sends a freeze, or the end of one, and shows what is frozen then.
func sendFreeze(cmd *cobra.Command, c client.Client, update string, request workflows.FreezeRequest) error {
	return served(cmd, c, func() error {
		answer, err := tellFreeze(cmd.Context(), c, update, request)
		if err != nil {
			return err
		}
		if update == names.UpdateUnfreeze {
			return show(cmd, answer, func(out io.Writer, answer *workflows.FreezeAnswer) error {
				return printLifted(out, request.Account, answer)
			})
		}
		return show(cmd, answer, func(out io.Writer, answer *workflows.FreezeAnswer) error {
			if answer.Replaced != nil {
				line(out, "instead of your reason before: %s", answer.Replaced.Reason)
			}
			return printFreezes(out, patch.FreezeStatus{Freezes: answer.Freezes})
		})
	})
}

// tellFreeze sends an Update to the workflow that keeps the freezes, and starts it where there is none.
func tellFreeze(
	ctx context.Context, c client.Client, update string, request workflows.FreezeRequest,
) (*workflows.FreezeAnswer, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	start := c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: names.FreezeID, TaskQueue: names.TaskQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}, names.Freeze, workflows.FreezeInput{})
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateName: update, Args: []any{request}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	var answer workflows.FreezeAnswer
	if err == nil {
		err = handle.Get(ctx, &answer)
	}
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf(
			"no worker answered, so that nobody knows whether %s was heard: it may be taken when a worker is back. Sent "+
				"again it is taken once; while no worker runs nothing is patched",
			update,
		)
	case err != nil:
		return nil, refused(names.FreezeID, update, err)
	}
	answer.Freezes = append(patch.Freezes{}, answer.Freezes...) // as JSON a list, also an empty one
	return &answer, nil
}

func newFreezeShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:        "show",
		SuggestFor: []string{"list"},
		Short:      "Show what is frozen",
		Example:    `patchtide freeze show`,
		Long:       "Show what is frozen, by whom and why. Exit code 3 where something is.",
		Args:       cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withWorker(cmd, func(c client.Client) error {
				freezes, err := activities.NewFreezes(c).Freezes(cmd.Context())
				if err != nil {
					return fmt.Errorf("nobody knows what is frozen, which counts as frozen: %w", err)
				}
				err = show(cmd, patch.FreezeStatus{Freezes: append(patch.Freezes{}, freezes...)}, printFreezes)
				if err == nil && len(freezes) > 0 {
					err = &exitError{code: exitOnHold}
				}
				return err
			})
		},
	}
	printsJSON(cmd)
	return cmd
}

// printLifted says what became of a freeze, and what is frozen still, with what lifts that.
func printLifted(out io.Writer, account string, answer *workflows.FreezeAnswer) error {
	switch {
	case !answer.Changed && account == "":
		line(out, "there was no freeze of everything")
	case !answer.Changed:
		line(out, "account %s was not frozen", account)
	}
	for _, freeze := range answer.Lifted {
		line(out, "%s", freeze.Lifted())
	}
	if len(answer.Freezes) == 0 {
		return printFreezes(out, patch.FreezeStatus{})
	}
	for _, freeze := range answer.Freezes {
		line(out, "still: %s. To take that back: %s (%s)", freeze, freeze.Lift(), patch.ForAll)
	}
	return nil
}

func printFreezes(out io.Writer, status patch.FreezeStatus) error {
	if len(status.Freezes) == 0 {
		line(out, "nothing is frozen")
	}
	for _, freeze := range status.Freezes {
		line(out, "%s", freeze)
	}
	return nil
}
