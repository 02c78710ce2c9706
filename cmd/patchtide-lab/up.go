package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newUp(start workerStarter) *cobra.Command {
	var options laboratoryOptions
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the whole laboratory without running a wave",
		Long: "Start the whole laboratory without running a wave: start one yourself, from the Temporal UI or with " +
			"patchtide.",
		Example: "  patchtide-lab up --speed 60 --data ./lab-data",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := options.check(cmd); err != nil {
				return err
			}
			l, err := open(cmd.Context(), options, start, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.close()) }()
			l.aws.introduce(cmd.OutOrStdout())
			fmt.Fprintf(cmd.OutOrStdout(), "\nTemporal     %s\nTemporal UI  %s\n", l.temporal.Address(), l.temporal.UIURL())
			return l.aws.wait(cmd.Context())
		},
	}
	options.addFlags(cmd)
	return cmd
}
