package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

func newReconcile() *cobra.Command {
	var request workflows.ReconcileRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Put back what waves that no longer run have left",
		Long: "Put back what waves that no longer run have left, in every account and region of the worker's configuration: only what a\n" +
			"signed record of the journal says that Patchtide changed. Exit code 1 where something is left, or with --dry-run would be healed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := operatorClient(cmd)
			if err != nil {
				return err
			}
			defer c.Close()
			run, err := c.ExecuteWorkflow(cmd.Context(), client.StartWorkflowOptions{
				ID: names.ReconcileID, TaskQueue: names.TaskQueue, WorkflowExecutionErrorWhenAlreadyStarted: true,
				StaticSummary: "started by " + request.Actor,
			}, names.Reconcile, request)
			var already *serviceerror.WorkflowExecutionAlreadyStarted
			switch {
			case errors.As(err, &already):
				return fmt.Errorf("%s runs already; wait for it, or see it in the Temporal UI", names.ReconcileID)
			case err != nil:
				return fmt.Errorf("start %s: %w", names.ReconcileID, err)
			}
			var result workflows.Reconciliation
			if err := run.Get(cmd.Context(), &result); err != nil {
				return fmt.Errorf("%s: %s", names.ReconcileID, plain(err))
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), result)
			} else {
				err = printReconciliation(cmd.OutOrStdout(), result)
			}
			if err != nil {
				return err
			}
			if !result.Clean() {
				return &exitError{code: exitFailed}
			}
			return nil
		},
	}
	cmd.AddCommand(newReconcileSchedule())
	flags := cmd.Flags()
	flags.BoolVar(&request.DryRun, "dry-run", false, "change nothing, tell what would be done")
	flags.StringVar(&request.Actor, "actor", operatorName(), "who starts it")
	flags.StringVar(&request.Reason, "reason", "", "why")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// printReconciliation writes the result for a person, what needs one first.
func printReconciliation(out io.Writer, result workflows.Reconciliation) error {
	for _, left := range result.Left {
		if _, err := fmt.Fprintf(out, "left       %s/%s %s: %s\n           to do: %s\n", left.Account, left.Region, left.Resource, left.State, left.WhatToDo); err != nil {
			return err
		}
	}
	healed := "healed"
	if result.DryRun {
		healed = "would heal"
	}
	for _, list := range []struct {
		name     string
		findings []workflows.Finding
	}{
		{"untrusted", result.Untrusted},
		{healed, result.Healed},
		{"unmarked", result.Unmarked},
		{"owned", result.Owned},
		{"young", result.Young},
		{"quarantine", result.Quarantined},
		{"expired", result.Expired},
	} {
		for _, found := range list.findings {
			if _, err := fmt.Fprintf(out, "%-10s %s/%s %s: %s\n", list.name, found.Account, found.Region, found.Resource, found.State); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(out, "%d of %d accounts and regions looked through: %d left, %d untrusted, %d %s\n",
		result.Looked, result.Places, len(result.Left), len(result.Untrusted), len(result.Healed), healed)
	return err
}
