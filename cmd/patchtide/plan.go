package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

func newPlan() *cobra.Command {
	var scan bool
	var only onlyFlags
	cmd := &cobra.Command{
		Use:   "plan PLAN",
		Short: "Show what a wave of a plan would do, and what is in its way",
		Example: `patchtide plan web
patchtide plan web --scan`,
		Long: "Show what a wave of a plan would do: its stages, groups and instances in the order in which they would " +
			"be taken, what is missing on each, how room is made, how long it is likely to take and whether that fits " +
			"the window; and everything that is in its way, by the names of docs/refusals.md. Nothing is changed and no " +
			"lock is taken, so that it may run beside a wave. What is missing is what Systems Manager knows, with its " +
			"age; --scan scans first. Exit code 0: nothing is in the way: it could run, now or once its " +
			"window opens, or nothing is due. 1: something is in the way, or it failed.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withWorker(cmd, func(c client.Client) error {
				warnOtherConfigurations(cmd, c)
				id, actor := names.Plan(args[0], time.Now()), operatorName()
				summary := fmt.Sprintf("preview of plan %s, started by %s", args[0], actor)
				run, err := begin(cmd.Context(), c, names.PreviewWave, id, summary, "",
					workflows.PreviewRequest{Plan: args[0], Scan: scan, Only: only.only()}, waitForIt(id))
				if err != nil {
					return err
				}
				var result workflows.PreviewResult
				if err := awaitResult(cmd, c, run, true, &result); err != nil {
					return fmt.Errorf("plan %s: %s", args[0], plain(err))
				}
				if err := show(cmd, result.Preview, printPlan); err != nil {
					return err
				}
				if !result.Preview.CouldRun() {
					return &exitError{code: exitFailed}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&scan, "scan", false,
		"scan every instance first, which changes its compliance data and nothing else")
	only.flags(cmd)
	printsJSON(cmd)
	return cmd
}

func printPlan(out io.Writer, preview patch.Preview) error {
	return console.PrintPlan(out, os.Environ(), preview)
}
