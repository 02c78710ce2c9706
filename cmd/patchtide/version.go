package main

import (
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is what this binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// built is what `version --json` prints.
type built struct {
	Version string `json:"version"`
	Go      string `json:"go"`
}

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs, Example: "patchtide version",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return show(cmd, built{version(), runtime.Version()}, func(out io.Writer, b built) error {
				line(out, "patchtide %s", b.Version)
				return nil
			})
		},
	}
	printsJSON(cmd)
	return cmd
}
