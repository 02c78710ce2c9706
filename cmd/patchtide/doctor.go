package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/doctor"
	"github.com/patchtide/patchtide/internal/payload"
)

func newDoctor() *cobra.Command {
	var deep bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at everything a wave relies on, and say how to mend what is wrong",
		Example: `patchtide doctor
patchtide doctor --deep`,
		Long: "Look at everything a wave relies on: credentials, the role in each account and what it may do, agents, " +
			"patch baselines, Temporal and its search attributes, workers, clocks, the evidence store and its key. Run " +
			"it on the worker's machine, with the worker's configuration and credentials. It changes nothing but a " +
			"document, doctor.json, in the evidence store.\n\n" +
			"With --deep it also asks AWS, in each account and region, what Patchtide believes of it and regions answer " +
			"differently: what documents take, whether a patch run's output can be read, page sizes, whether the region " +
			"is enabled, services without an endpoint, encryption by default.\n\n" +
			"Exit code 0 where all is ok or unknown, 1 where there is a problem, 2 where the configuration is wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := loadWorkerConfig(cmd)
			if err != nil {
				return err
			}
			report, err := examine(cmd.Context(), loaded, deep, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := show(cmd, report, printReport); err != nil {
				return err
			}
			if !report.OK {
				return &exitError{code: exitFailed}
			}
			return nil
		},
	}
	printsJSON(cmd)
	cmd.Flags().BoolVar(&deep, "deep", false, "ask AWS as well what Patchtide believes of it; reads only")
	return cmd
}

// examine runs the doctor with the credentials and the connection of a worker.
func examine(ctx context.Context, loaded *config.Config, deep bool, progress io.Writer) (doctor.Report, error) {
	quiet := slog.New(slog.DiscardHandler)
	tell, done := overwriting(progress)
	defer done()
	aws, err := awsConfig(ctx, progress)
	if err != nil {
		return doctor.Report{}, err
	}
	return doctor.Look(ctx, doctor.Options{
		Config: loaded, AWS: aws, Now: time.Now, Version: version(), Deep: deep, Progress: tell,
		Dial: func(ctx context.Context) (doctor.Temporal, error) {
			c, options, err := dial(ctx, loaded.Settings, quiet, payload.NewPlain())
			return doctor.Temporal{Client: c, Namespace: options.Namespace, Address: options.HostPort}, err
		},
	}), nil
}

// eraseLine takes away what stands on a terminal's line.
const eraseLine = "\r\x1b[2K"

// overwriting shows progress on one line of a terminal, which done takes away; elsewhere it shows nothing.
func overwriting(out io.Writer) (tell func(done, all int, what string), done func()) {
	if !isTerminal(out) {
		return nil, func() {}
	}
	tell = func(done, all int, what string) { fmt.Fprintf(out, "%s%d of %d: %s", eraseLine, done, all, what) }
	return tell, func() { fmt.Fprint(out, eraseLine) }
}

// printReport writes what was found for a person.
func printReport(out io.Writer, report doctor.Report) error {
	findings := make([]console.Finding, len(report.Results))
	counts := map[doctor.State]int{}
	for i, result := range report.Results {
		counts[result.State]++
		findings[i] = console.Finding{
			OK: result.State == doctor.OK, Problem: result.State == doctor.Problem,
			What: result.Check, Where: result.Where, Says: result.Says, Mend: result.Mend,
		}
	}
	if err := console.Findings(out, os.Environ(), findings); err != nil {
		return err
	}
	line(out, "")
	problems := "problems"
	if counts[doctor.Problem] == 1 {
		problems = "problem"
	}
	line(out, "%d ok, %d %s, %d unknown", counts[doctor.OK], counts[doctor.Problem], problems, counts[doctor.Unknown])
	return nil
}
