package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of the laboratory and of what it embeds",
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return fmt.Errorf("this binary carries no build information; build it with Go modules")
			}
			fmt.Fprintf(cmd.OutOrStdout(), "patchtide-lab %s, %s\n", info.Main.Version, info.GoVersion)
			for _, module := range info.Deps {
				switch module.Path {
				case "go.temporal.io/server", "go.temporal.io/sdk", "github.com/temporalio/ui-server/v2":
					fmt.Fprintf(cmd.OutOrStdout(), "  %s %s\n", module.Path, module.Version)
				}
			}
			return nil
		},
	}
}
