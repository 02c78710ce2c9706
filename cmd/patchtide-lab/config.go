package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// configuration is what the product's own worker needs in the laboratory. FOLDER stands in quotes.
//
//go:embed config.yaml
var configuration string

func newConfig() *cobra.Command {
	data := ""
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print a patchtide.yaml for a worker of your own in the laboratory",
		Long: "Print a patchtide.yaml for the product's own worker, beside `patchtide-lab aws` and `patchtide-lab " +
			"temporal`.\n" +
			"Evidence and the journal's key are in --data, which is made if it is not there.",
		Example: "  patchtide-lab config > patchtide.yaml\n  patchtide check",
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder, err := filepath.Abs(data)
			if err != nil {
				return fmt.Errorf("--data %s: %w", data, err)
			}
			if err := os.MkdirAll(folder, 0o700); err != nil {
				return fmt.Errorf("make the folder for evidence: %w", err)
			}
			if _, err := journalKey(cmd.Context(), filepath.Join(folder, keyFile)); err != nil {
				return err
			}
			_, err = fmt.Fprint(
				cmd.OutOrStdout(), strings.ReplaceAll(configuration, "FOLDER", strings.ReplaceAll(folder, "'", "''")),
			)
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", "./lab-data", "folder for evidence and the journal's key")
	return cmd
}
