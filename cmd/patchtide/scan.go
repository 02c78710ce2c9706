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
		Use:   "scan PLAN",
		Short: "Scan every group of a plan and show what is missing",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withTemporal(cmd, func(c client.Client) error {
				run, err := c.ExecuteWorkflow(cmd.Context(), client.StartWorkflowOptions{
					ID: names.Scan(args[0], time.Now()), TaskQueue: names.TaskQueue,
					StaticSummary: fmt.Sprintf("scans plan %s, started by %s", args[0], operatorName()),
				}, names.ScanFleet, workflows.ScanRequest{Plan: args[0]})
				if err != nil {
					return fmt.Errorf("start the scan: %w", err)
				}
				var fleet workflows.FleetScan
				if err := run.Get(cmd.Context(), &fleet); err != nil {
					return fmt.Errorf("scan %s: %s", run.GetID(), plain(err))
				}
				return show(cmd, fleet, printFleet)
			})
		},
	}
	printsJSON(cmd)
	return cmd
}

func printFleet(out io.Writer, fleet workflows.FleetScan) error {
	for _, group := range fleet.Groups {
		line(out, "%s/%s/%s: %d of %d scanned, %d compliant %s", group.Account, group.Region, group.Name,
			group.Scanned, len(group.Instances), group.Compliant, group.Error)
		for _, instance := range group.Instances {
			line(
				out, "  %s  %d missing: %s %s", instance.Instance, len(instance.Missing)+instance.MissingCount, strings.Join(instance.Missing, " "),
				instance.Error,
			)
		}
	}
	return nil
}

// line writes one line without spaces at its end.
func line(out io.Writer, format string, args ...any) {
	fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}
