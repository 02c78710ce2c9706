package main

import (
	"errors"
	"fmt"
	"io"

	"charm.land/huh/v2"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/baselinesync"
)

func newBaselineSync() *cobra.Command {
	var dryRun, yes bool
	cmd := &cobra.Command{
		Use:   "sync [NAME]",
		Short: "Make Systems Manager's baselines equal to the files, once you have seen how they differ",
		Example: `patchtide baseline sync --dry-run
patchtide baseline sync amazon-linux-2023`,
		Long: "Make Systems Manager's patch baselines equal to the files: of NAME, or of every baseline by which a plan is " +
			"patched, in each account and region where one is. What differs is shown first, then it asks, unless --yes is " +
			"given. What is missing is made, what differs is changed, also where somebody else made a baseline of that " +
			"name, and each is registered for its patch group. Nothing is deleted, and a patch group is taken from no " +
			"other baseline. Scans and waves do the same by themselves, for the groups they take.\n\n" +
			"Exit code 0 where all are equal in the end, 1 where --dry-run would change something or the answer was no, 4 " +
			"where an account could not be read or changed: it is named with the reason, and the others are done.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes && !dryRun && (asJSON(cmd) || !terminalIn(cmd)) {
				return wrongUsage(cmd, errors.New("it asks before it changes anything, and nobody can be asked here; look with "+
					"--dry-run, then give --yes"))
			}
			loaded, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			places, err := placesOf(cmd.Context(), loaded, optional(args), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			shown := baselinesync.Compare(cmd.Context(), places)
			if !asJSON(cmd) || dryRun {
				if err := show(cmd, shown, printCompared); err != nil {
					return err
				}
			}
			if dryRun {
				return differs(shown)
			}
			counts := countStates(shown)
			due := counts[baselinesync.Different] + counts[baselinesync.Missing]
			if due > 0 && !yes {
				if err := confirm(cmd, fmt.Sprintf("Make %s equal to the files?", counted(due, "baseline"))); err != nil {
					return err
				}
			}
			done := baselinesync.Sync(cmd.Context(), places, shown)
			if err := show(cmd, done, printSynced); err != nil {
				return err
			}
			for _, state := range done {
				if state.Done == baselinesync.Failed {
					return &exitError{code: exitGaps}
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "change nothing, show what would be changed")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	printsJSON(cmd)
	return cmd
}

// terminalIn reports whether a person may be asked.
func terminalIn(cmd *cobra.Command) bool {
	file, ok := cmd.InOrStdin().(term.File)
	return ok && term.IsTerminal(file.Fd())
}

// confirm asks a person; a no is an error, and so is no answer.
func confirm(cmd *cobra.Command, question string) error {
	yes := false
	form := huh.NewForm(huh.NewGroup(huh.NewConfirm().Title(question).Affirmative("Yes").Negative("No").Value(&yes))).
		WithInput(cmd.InOrStdin()).WithOutput(cmd.ErrOrStderr())
	if err := form.RunWithContext(cmd.Context()); err != nil {
		return fmt.Errorf("the question was not answered, and %w: %w", errNothingChanged, err)
	}
	if !yes {
		return errNothingChanged
	}
	return nil
}

func printSynced(out io.Writer, states []baselinesync.State) error {
	counts := map[string]int{}
	for _, state := range states {
		counts[state.Done]++
		head := fmt.Sprintf("%s in %s", state.Baseline, state.Where())
		if state.Done == baselinesync.Failed {
			line(out, "%s: %s: %s", head, state.Done, state.Error)
			continue
		}
		line(out, "%s: %s (%s)", head, state.Done, state.ID)
	}
	line(out, "%d made, %d changed, %d unchanged, %d failed", counts[baselinesync.Made], counts[baselinesync.Changed],
		counts[baselinesync.Unchanged], counts[baselinesync.Failed])
	return nil
}
