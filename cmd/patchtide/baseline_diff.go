package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/baselinesync"
)

func newBaselineDiff() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff [NAME]",
		Short: "Show how Systems Manager's baselines differ from the files, in every account and region",
		Example: `patchtide baseline diff
patchtide baseline diff amazon-linux-2023 --json`,
		Long: "Show, field by field, how Systems Manager's patch baselines differ from the files: of NAME, or of every " +
			"baseline by which a plan is patched, in each account and region where one is. With it comes when the baseline " +
			"was changed last, and whether it was written from this file. It changes nothing.\n\n" +
			"Exit code 0 where all are equal, 1 where one differs or is not there yet, 4 where none does, and one could " +
			"not be read: its account is named with the reason.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			places, err := placesOf(cmd.Context(), loaded, optional(args), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			states := baselinesync.Compare(cmd.Context(), places)
			if err := show(cmd, states, printCompared); err != nil {
				return err
			}
			return differs(states)
		},
	}
	printsJSON(cmd)
	return cmd
}

// differs is the exit code of a comparison: what could not be read is neither equal nor different.
func differs(states []baselinesync.State) error {
	counts := countStates(states)
	switch {
	case counts[baselinesync.Different]+counts[baselinesync.Missing] > 0:
		return &exitError{code: exitFailed}
	case counts[baselinesync.Unread] > 0:
		return &exitError{code: exitGaps}
	}
	return nil
}

func countStates(states []baselinesync.State) map[baselinesync.Condition]int {
	counts := map[baselinesync.Condition]int{}
	for _, state := range states {
		counts[state.Condition]++
	}
	return counts
}

func printCompared(out io.Writer, states []baselinesync.State) error {
	for _, state := range states {
		printState(out, state)
	}
	counts := countStates(states)
	if counts[baselinesync.Different] > 0 {
		line(out, "- is what Systems Manager has, + is what the file says")
	}
	line(out, "%d equal, %d different, %d not there yet, %d not read", counts[baselinesync.Equal],
		counts[baselinesync.Different], counts[baselinesync.Missing], counts[baselinesync.Unread])
	return nil
}

func printState(out io.Writer, state baselinesync.State) {
	head := fmt.Sprintf("%s in %s", state.Baseline, state.Where())
	plans := "plan " + strings.Join(state.Plans, ", ")
	if len(state.Plans) > 1 {
		plans = "plans " + strings.Join(state.Plans, ", ")
	}
	switch state.Condition {
	case baselinesync.Equal:
		line(out, "%s: equal (%s)", head, state.ID)
	case baselinesync.Unread:
		line(out, "%s: not read: %s", head, state.Error)
	case baselinesync.Missing:
		line(out, "%s: %s is not there yet; a scan or a wave of %s makes it", head, state.Name, plans)
	case baselinesync.Different:
		line(out, "%s: %s (%s) differs, which judges %s", head, state.Name, state.ID, plans)
		line(out, "  %s", state.Since())
		printBaselineDifferences(out, state.Differences)
	}
	if state.TakenBy != "" {
		line(out, "  its patch group is registered with %s, which judges in its place", state.TakenBy)
	}
}

func printBaselineDifferences(out io.Writer, differences []baselines.Difference) {
	say := func(text string) string {
		if text == "" {
			return "nothing"
		}
		return text
	}
	for _, d := range differences {
		line(out, "  %s", d.What)
		line(out, "    - %s", say(d.Found))
		line(out, "    + %s", say(d.Wanted))
	}
}
