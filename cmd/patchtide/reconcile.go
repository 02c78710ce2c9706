package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	shown "github.com/patchtide/patchtide/internal/plain"
	"github.com/patchtide/patchtide/workflows"
)

func newReconcile() *cobra.Command {
	var request workflows.ReconcileRequest
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Put back what waves that no longer run have left",
		Example: `patchtide reconcile --dry-run
patchtide reconcile --reason "after the crash"`,
		Long: "Put back what waves that no longer run have left, in every account and region of the worker's " +
			"configuration: only what a signed record of the journal says that Patchtide changed. Exit code 1 where " +
			"something failed, is untrusted or too recent to be touched, or with --dry-run would be healed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withWorker(cmd, func(c client.Client) error {
				run, err := begin(cmd.Context(), c, names.Reconcile, names.ReconcileID, "started by "+request.Actor,
					"**Started because**: "+shown.Markdown(request.Reason), request, waitForIt(names.ReconcileID))
				if err != nil {
					return err
				}
				var result workflows.Reconciliation
				if err := awaitResult(cmd, c, run, request.DryRun, &result); err != nil {
					return fmt.Errorf("%s: %s", names.ReconcileID, plain(err))
				}
				err = show(cmd, result, printReconciliation)
				if err == nil && !result.Clean() {
					err = &exitError{code: exitFailed}
				}
				return err
			})
		},
	}
	cmd.AddCommand(newReconcileSchedule())
	cmd.Flags().BoolVar(&request.DryRun, "dry-run", false, "change nothing, tell what would be done")
	decides(cmd, &request.Actor, &request.Reason, "who starts it", "why")
	printsJSON(cmd)
	return cmd
}

// printReconciliation writes the result for a person, what needs one first.
func printReconciliation(out io.Writer, result workflows.Reconciliation) error {
	for _, failed := range result.Failed {
		line(out, "failed     %s/%s %s: %s", failed.Account, failed.Region, failed.Resource, failed.State)
		line(out, "           to do: %s", failed.WhatToDo)
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
		{"in use", result.InUse},
		{"too recent", result.TooRecent},
		{"quarantine", result.Quarantined},
		{"expired", result.Expired},
	} {
		for _, found := range list.findings {
			line(out, "%-10s %s/%s %s: %s", list.name, found.Account, found.Region, found.Resource, found.State)
		}
	}
	line(out, "%d of %d accounts and regions looked through: %d failed, %d untrusted, %d %s",
		result.Inspected, result.Places, len(result.Failed), len(result.Untrusted), len(result.Healed), healed)
	return nil
}
