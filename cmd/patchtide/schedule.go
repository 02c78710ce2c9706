package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/schedules"
)

func newSchedule() *cobra.Command {
	cmd := parent("schedule", "Let the plans' windows start waves",
		newScheduleSync(), newScheduleList(), newSchedulePreview(),
		newSchedulePause("pause", "Keep a plan's windows from starting waves; waves that run go on", schedules.Windows.Pause),
		newSchedulePause("resume", "Let a plan's windows start waves again, from the next opening on",
			schedules.Windows.Resume))
	cmd.Long = "Let the plans' windows start waves: Temporal Schedules are made from the windows of the " +
		"configuration file. One namespace belongs to one configuration."
	return cmd
}

func newScheduleSync() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Make Temporal's schedules equal to the plans' windows",
		Example: `patchtide schedule sync --dry-run
patchtide schedule sync`,
		Long: "Make Temporal's schedules equal to the plans' windows. What differs is shown and mended, what is " +
			"missing made, and the schedule of a window that is no more removed. Schedules that are not " +
			"Patchtide's are never touched, and a paused one stays paused. With --dry-run nothing is changed, and exit " +
			"code 1 says that something would be. A worker that runs with another configuration than the file is told: " +
			"it has to be restarted.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withSchedules(cmd, func(keeper schedules.Windows, plans []schedules.Plan) error {
				changes, err := keeper.Sync(cmd.Context(), plans, dryRun)
				// What was done before an error is told, too.
				err = errors.Join(err, show(cmd, changes, func(out io.Writer, changes []schedules.Change) error {
					printChanges(out, changes, dryRun)
					return nil
				}))
				if err != nil {
					return err
				}
				for _, change := range changes {
					if dryRun && change.Done != schedules.Unchanged {
						return &exitError{code: exitFailed}
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "change nothing, tell what would be done")
	printsJSON(cmd)
	return cmd
}

func newScheduleList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show each plan's schedule: its next openings, what came of the last, how it differs from the file",
		Example: `patchtide schedule list`,
		Long: "Show each plan's schedule: when it opens next, what came of its last opening (the wave it started, or why " +
			"none), whether it is paused, how it differs from the file. Exit code 1 where one is missing or differs. A " +
			"worker that runs with another configuration than the file is told as well: windows open by what it knows.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withSchedules(cmd, func(keeper schedules.Windows, plans []schedules.Plan) error {
				states, err := keeper.List(cmd.Context(), plans, time.Now())
				if err != nil {
					return err
				}
				if err := show(cmd, states, printStates); err != nil {
					return err
				}
				for _, state := range states {
					if !state.InOrder() {
						return &exitError{code: exitFailed}
					}
				}
				return nil
			})
		},
	}
	printsJSON(cmd)
	return cmd
}

// newSchedulePause makes pause and resume.
func newSchedulePause(
	use, short string, do func(schedules.Windows, context.Context, string, string) error,
) *cobra.Command {
	var actor, reason string
	cmd := &cobra.Command{
		Use: use + " PLAN", Short: short, Args: cobra.ExactArgs(1),
		Example: "patchtide schedule " + use + ` web --reason "the shop has its sale"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return wrongUsage(cmd, errors.New("--reason is missing; the next on-call will want to know"))
			}
			return withSchedules(cmd, func(keeper schedules.Windows, plans []schedules.Plan) error {
				note := fmt.Sprintf("%sd by %s: %s", use, actor, reason)
				if err := do(keeper, cmd.Context(), args[0], note); err != nil {
					return err
				}
				done := map[string]string{"plan": args[0], "done": use + "d", "note": note}
				return show(cmd, done, func(out io.Writer, _ map[string]string) error {
					line(out, "%s: %sd", args[0], use)
					return nil
				})
			})
		},
	}
	decides(cmd, &actor, &reason, "who decides", "why; it is kept as the schedule's note")
	printsJSON(cmd)
	return cmd
}

// withSchedules reads the configuration, whose windows are the wanted ones, and connects to Temporal.
func withSchedules(cmd *cobra.Command, do func(schedules.Windows, []schedules.Plan) error) error {
	loaded, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	plans, err := windowedPlans(loaded)
	if err != nil {
		return err
	}
	return withTemporal(cmd, func(c client.Client) error {
		err := do(schedules.Windows{Schedules: c.ScheduleClient(), Workflows: c}, plans)
		printOtherConfigurations(cmd.ErrOrStderr(), otherConfigurations(cmd.Context(), c, loaded))
		return err
	})
}

// windowedPlans lists the plans that have a window, by name.
func windowedPlans(loaded *config.Config) ([]schedules.Plan, error) {
	var plans []schedules.Plan
	for _, name := range loaded.PlanNames() {
		windows, found, err := loaded.Windows(name)
		if err != nil {
			return nil, err
		}
		if found {
			plans = append(plans, schedules.Plan{Name: name, Windows: windows})
		}
	}
	return plans, nil
}

func printChanges(out io.Writer, changes []schedules.Change, dryRun bool) {
	if len(changes) == 0 {
		line(out, "no plan has a window, and no schedule of ours is left")
	}
	for _, change := range changes {
		done := change.Done
		if dryRun && done != schedules.Unchanged {
			done = "would be " + done
		}
		line(out, "%s: %s (%s)", change.Plan, done, change.Schedule)
		printDifferences(out, change.Differences)
	}
}

func printDifferences(out io.Writer, differences []schedules.Difference) {
	for _, d := range differences {
		line(out, "  %s", d.What)
		line(out, "    - %s", d.Found)
		line(out, "    + %s", d.Wanted)
	}
}

// opensAt is a moment at which a schedule opens, and why no wave starts then, where none does.
func opensAt(state schedules.State, at time.Time) string {
	for _, closed := range state.Closed {
		if closed.At.Equal(at) {
			return console.Minute(at) + ", but " + closed.Why
		}
	}
	return console.Minute(at)
}

func printStates(out io.Writer, states []schedules.State) error {
	if len(states) == 0 {
		line(out, "no plan has a window, and no schedule of ours is there")
	}
	for _, state := range states {
		name := state.Plan
		if state.Of > 1 {
			name = fmt.Sprintf("%s, window %d of %d", state.Plan, state.Window, state.Of)
		}
		next, word := state.Next[:min(len(state.Next), 3)], "then"
		switch {
		case !state.Exists:
			line(out, "%s: has no schedule yet; run `patchtide schedule sync`", name)
			continue
		case state.Orphan:
			line(out, "%s: %s opens a window that is no more; `patchtide schedule sync` removes it", name, state.Schedule)
			word = "opens at"
		case state.Paused:
			line(out, "%s: paused: %s", name, state.Note)
			word = "starts no wave at"
		case len(next) == 0:
			line(out, "%s: never opens again", name)
		default:
			line(out, "%s: opens next at %s", name, opensAt(state, next[0]))
			next = next[1:]
		}
		for _, at := range next {
			line(out, "  %s %s", word, opensAt(state, at))
		}
		if last := state.Last; last != nil {
			line(out, "  opened last at %s: %s", console.Minute(last.At), last.Says)
			if last.WaveID != "" {
				line(out, "    see `patchtide wave show %s`", names.ShellWord(last.WaveID))
			}
		}
		if state.Missed > 0 {
			line(out, "  %d openings were missed: Temporal was away until their cutoff", state.Missed)
		}
		if state.Warning != "" {
			line(out, "  warning: %s", state.Warning)
		}
		if len(state.Drift) > 0 {
			line(out, "  differs from the file; `patchtide schedule sync` mends it:")
			printDifferences(out, state.Drift)
		}
	}
	return nil
}
