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
		Example: "  patchtide-lab up --scenario bad-patch\n  patchtide-lab up --speed 60 --data ./lab-data",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := options.check(cmd); err != nil {
				return err
			}
			l, err := open(cmd.Context(), options, start, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.close()) }()
			variables, err := l.variables()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			l.aws.introduce(out)
			fmt.Fprintf(out, "Temporal UI  %s\n", l.temporal.UIURL())
			guide(
				out, variables,
				"patchtide plan "+demoPlan,
				"patchtide wave start "+demoPlan+` --reason "monthly patches"`,
				"patchtide wave watch WAVE     # the id that wave start prints",
				"patchtide links --plan "+demoPlan+"    # the same in the Temporal UI",
				"patchtide doctor              # what is wrong: here the simulated clock, which runs ahead",
				"patchtide schedule list       # which plans start by themselves: none here. Each wave gets a window, now",
			)
			fmt.Fprintln(out, "\nAn approval or a hold waits for you as long as the plan says, in your time.")
			stopIt(out)
			return l.aws.wait(cmd.Context())
		},
	}
	options.addFlags(cmd)
	return cmd
}
