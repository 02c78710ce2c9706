package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

func newScan() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "scan PLAN",
		Short:   "Scan every group of a plan and show what is missing",
		Example: `patchtide scan web`,
		Long: "Scan every group of a plan and show what is missing, by the plan's baseline.\n\n" +
			"It installs nothing. What it changes in each account and region: the compliance data of what it scans, and " +
			"the plan's patch baseline, which it makes in Systems Manager, or makes equal to the file, and registers for " +
			"its patch group. Without that AWS's own baseline would judge.\n\n" +
			"Exit code 0 where every instance was scanned, 4 where one was not.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withWorker(cmd, func(c client.Client) error {
				warnOtherConfigurations(cmd, c)
				run, err := c.ExecuteWorkflow(cmd.Context(), client.StartWorkflowOptions{
					ID: names.Scan(args[0], time.Now()), TaskQueue: names.TaskQueue,
					StaticSummary: fmt.Sprintf("scans plan %s, started by %s", args[0], operatorName()),
				}, names.ScanFleet, workflows.ScanRequest{Plan: args[0]})
				if err != nil {
					return fmt.Errorf("start the scan: %w", err)
				}
				var fleet workflows.FleetScan
				if err := awaitResult(cmd, c, run, true, &fleet); err != nil {
					return fmt.Errorf("scan %s: %s", run.GetID(), plain(err))
				}
				return showScan(cmd, fleet)
			})
		},
	}
	printsJSON(cmd)
	return cmd
}

// showScan shows what a scan found. One that is not whole is no success: who reads only the exit code must not take
// nothing missing from nothing scanned.
func showScan(cmd *cobra.Command, fleet workflows.FleetScan) error {
	if err := show(cmd, fleet, printFleet); err != nil || fleet.Whole() {
		return err
	}
	return &exitError{code: exitGaps}
}

func printFleet(out io.Writer, fleet workflows.FleetScan) error {
	for _, group := range fleet.Groups {
		line(out, "%s/%s/%s: %d of %d scanned, %d compliant %s", group.Account, group.Region, group.Name,
			group.Scanned, len(group.Instances), group.Compliant, group.Error)
		if group.BaselineID != "" {
			line(out, "  judged by the baseline %s, which the scan keeps as the file says and registered for its patch group",
				group.BaselineID)
		}
		for _, judge := range group.Judges() {
			line(out, "  %s", judge)
		}
		if group.BaselineDiffered != "" {
			line(out, "  it differed from the file until this scan made it equal: %s", group.BaselineDiffered)
		}
		for _, instance := range group.Instances {
			said := "nothing missing"
			if missing := instance.MissingNumber(); missing > 0 {
				said = fmt.Sprintf("%d missing: %s", missing, strings.Join(instance.Missing, " "))
			} else if instance.Error != "" {
				said = "not judged:"
			}
			line(out, "  %s  %s %s", instance.Instance, said, instance.Error)
		}
	}
	return nil
}
