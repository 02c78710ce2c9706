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

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/schedules"
)

// reconcileSchedule is what the command was asked.
type reconcileSchedule struct {
	every                 time.Duration
	pause, resume, remove bool
	actor, reason         string
}

func newReconcileSchedule() *cobra.Command {
	var asked reconcileSchedule
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Have Reconcile run by itself, or show when it does",
		Example: `patchtide reconcile schedule
patchtide reconcile schedule --every 1h --reason "as the runbook has it"`,
		Long: "Have Reconcile run by itself, by the Temporal schedule " + names.ReconcileID + ": --every makes it or " +
			"changes it, --pause and --resume hold it and let it go on, --delete takes it away. Without any of them it " +
			"is shown. A run that is due while one is under way is skipped, and runs missed for longer than the interval " +
			"are not made up for. Exit code 1 where there is none to show.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			changes := 0
			for _, flag := range []string{"every", "pause", "resume", "delete"} {
				if cmd.Flags().Changed(flag) {
					changes++
				}
			}
			switch {
			case changes > 1:
				return wrongUsage(cmd, errors.New("give one of --every, --pause, --resume and --delete"))
			case cmd.Flags().Changed("every") && asked.every < schedules.ShortestReconcile:
				return wrongUsage(cmd, fmt.Errorf("--every %s is shorter than %s, before which nothing is healed",
					asked.every, schedules.ShortestReconcile))
			}
			if (asked.pause || asked.remove) && strings.TrimSpace(asked.reason) == "" {
				return wrongUsage(cmd, errors.New("--reason is missing; the next on-call will want to know"))
			}
			return withTemporal(cmd, func(c client.Client) error {
				kept := schedules.Reconcile{Schedules: c.ScheduleClient()}
				if err := changeReconcileSchedule(cmd.Context(), kept, asked); err != nil {
					return err
				}
				shown, err := kept.Read(cmd.Context())
				if err != nil {
					return err
				}
				err = show(cmd, shown, printSchedule)
				if err == nil && !shown.Exists && !asked.remove {
					err = &exitError{code: exitFailed}
				}
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&asked.every, "every", 0, "how often it runs, such as 1h")
	flags.BoolVar(&asked.pause, "pause", false, "hold it")
	flags.BoolVar(&asked.resume, "resume", false, "let it go on")
	flags.BoolVar(&asked.remove, "delete", false, "take it away")
	decides(cmd, &asked.actor, &asked.reason, "who decides", "why")
	printsJSON(cmd)
	return cmd
}

// changeReconcileSchedule does what was asked; the same again changes nothing.
func changeReconcileSchedule(ctx context.Context, kept schedules.Reconcile, asked reconcileSchedule) error {
	note := fmt.Sprintf("%s: %s", asked.actor, asked.reason)
	switch {
	case asked.every > 0:
		return kept.Set(ctx, asked.every, note)
	case asked.pause:
		return kept.Pause(ctx, note)
	case asked.resume:
		return kept.Resume(ctx, note)
	case asked.remove:
		return kept.Delete(ctx)
	}
	return nil
}

func printSchedule(out io.Writer, s *schedules.ReconcileState) error {
	if !s.Exists {
		line(out, "there is no schedule %s: Reconcile runs when somebody starts it", s.ID)
		return nil
	}
	when := "is paused (" + s.Note + ")"
	if len(s.Next) > 0 {
		when = "next at " + console.Minute(s.Next[0])
	}
	line(out, "%s: every %s, %s; %d skipped, %d missed", s.ID, s.Every, when, s.Skipped, s.Missed)
	if len(s.Recent) > 0 {
		line(out, "last run: %s", s.Recent[len(s.Recent)-1])
	}
	return nil
}
