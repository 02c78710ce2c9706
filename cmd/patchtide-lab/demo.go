package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/lab/drive"
	"github.com/patchtide/patchtide/internal/patch"
)

// demoPlan is the plan of config/example.yaml that the demo runs.
const demoPlan = "web"

// demoRequest is what a person would type into the Temporal UI's start form.
type demoRequest struct {
	Plan   string `json:"plan"`
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
}

type demoOptions struct {
	laboratoryOptions
	asJSON bool
	keep   bool
}

func newDemo(start workerStarter) *cobra.Command {
	var options demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Patch a simulated fleet from beginning to end, and show it",
		Long: "Patch a simulated fleet from beginning to end: a staging pair, then a production group of four, one " +
			"instance\n" +
			"at a time behind its load balancer. Where a person would approve or decide, the demo does, and says so.\n" +
			"The exit code is 0 when the scenario ends as its file says.",
		Example: "  patchtide-lab demo\n  patchtide-lab demo --scenario bad-patch --keep\n  patchtide-lab demo --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.check(cmd); err != nil {
				return err
			}
			return demo(cmd.Context(), options, start, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	options.addFlags(cmd)
	cmd.Flags().BoolVar(&options.asJSON, "json", false, "print one JSON document on stdout; progress goes to stderr")
	cmd.Flags().BoolVar(&options.keep, "keep", false, "leave everything up after the wave, until Ctrl-C")
	return cmd
}

func demo(ctx context.Context, options demoOptions, start workerStarter, stdout, stderr io.Writer) (err error) {
	screen := stdout
	if options.asJSON {
		screen = stderr
	}
	show := console.New(screen, os.Environ(), time.Now)
	l, err := open(ctx, options.laboratoryOptions, start, show.Log(stderr))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	show.Say("Scenario %s: %s", l.aws.scenario.Name, l.aws.scenario.Description)
	show.Say(
		"The simulated AWS lives %g times faster than we do. It opens a maintenance window for this wave "+
			"alone, now, which no schedule has.",
		options.aws.speed,
	)
	show.Say("Temporal UI  %s", l.temporal.UIURL())
	show.Say("Fleet        %s", l.aws.url)

	report, err := l.runWave(ctx, show)
	show.Done()
	if ctx.Err() != nil {
		return errors.New("interrupted before the wave ended; the simulated fleet is gone with it")
	}
	if err != nil {
		return err
	}
	if options.keep {
		report.Pages = &console.Pages{
			TemporalUI: l.temporal.UIURL(), Wave: l.temporal.WorkflowURL(report.WaveID), Fleet: l.aws.url,
		}
	}
	if options.asJSON {
		if err := report.WriteJSON(stdout); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	} else {
		show.Summary(report)
	}
	if options.keep {
		if err := l.keepUp(ctx, report.WaveID, screen); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(
			screen, "\nAll of it ends here. To look around in it: patchtide-lab demo --scenario %s --keep\n",
			options.aws.scenario,
		)
	}
	return asExpected(l.aws.scenario.Expect.Outcome, report)
}

// keepUp tells how to look around after the wave, and waits.
func (l *laboratory) keepUp(ctx context.Context, waveID string, screen io.Writer) error {
	variables, err := l.variables()
	if err != nil {
		return err
	}
	fmt.Fprintln(screen, "\nEverything stays up.")
	guide(
		screen, variables,
		"patchtide wave show "+waveID,
		"patchtide wave logs "+waveID,
		"patchtide wave diff "+waveID,
		"patchtide wave roll-back "+waveID+` --reason "to see how it goes" --watch`,
		"patchtide wave start "+demoPlan+` --reason "once more" --watch`,
		"patchtide links --plan "+demoPlan+" --wave "+waveID,
	)
	stopIt(screen)
	return l.aws.wait(ctx)
}

// runWave runs one wave and returns its report.
func (l *laboratory) runWave(ctx context.Context, show *console.Console) (console.Report, error) {
	waveID := "wave-" + demoPlan + "-" + time.Now().UTC().Format("20060102-150405")
	show.Say("This wave    %s", l.temporal.WorkflowURL(waveID))
	driver := &drive.Driver{Temporal: l.client, Console: show, Decide: patch.Verb(l.aws.scenario.Decide)}
	began := time.Now()
	result, err := driver.Run(ctx, waveID, demoRequest{Plan: demoPlan, Actor: drive.Actor, Reason: "a demonstration"})
	if err != nil {
		return console.Report{}, err
	}
	measured := console.Measured{
		MaxOutOfService: func(account, region, name string) int {
			return l.aws.MaxOutOfService(l.accountID(account), region, name)
		},
		Missing:   l.missing,
		Calls:     l.aws.Calls(),
		Throttled: l.aws.Throttled(),
	}
	return console.NewReport(l.aws.scenario.Name, result, time.Since(began), measured), nil
}

// missing is how many patches a scan of an instance would list as missing now; 0 where there is no such instance.
func (l *laboratory) missing(account, region, instance string) (missing int) {
	l.aws.Inspect(func(w *world.World) {
		if found := w.Account(l.accountID(account)).Region(region).Instance(instance); found != nil {
			missing = found.Missing()
		}
	})
	return missing
}

// asExpected compares the wave's outcome with what the scenario's file promises; a file may promise nothing.
func asExpected(expected string, report console.Report) error {
	if expected == "" || patch.Outcome(expected) == report.Outcome {
		return nil
	}
	return fmt.Errorf(
		"scenario %s should end as %s, and wave %s ended as %s", report.Scenario, expected, report.WaveID, report.Outcome,
	)
}
