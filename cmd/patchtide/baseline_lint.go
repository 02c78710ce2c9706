package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/config"
)

// linted is what lint found.
type linted struct {
	OK       bool              `json:"ok"` // there is no mistake, and with --strict no warning
	Files    int               `json:"files"`
	Problems []problem         `json:"problems"`
	Warnings []baselines.Doubt `json:"warnings"`
}

func newBaselineLint() *cobra.Command {
	strict := false
	cmd := &cobra.Command{
		Use:   "lint [FILE...]",
		Short: "Check baselines' files: mistakes, and what is right and may not be meant",
		Example: `patchtide baseline lint
patchtide baseline lint baselines/ours.yaml --strict`,
		Long: "Check the files of baselines: those that are named, or else every one in baselines_dir and those that come " +
			"with Patchtide. Every mistake is told as file:line: key: what to write instead. Told as warnings are an " +
			"exception that is over, ends within 30 days or has no effect, a rule that can approve nothing for its system, " +
			"an approve_until that has passed, and a patch that is both approved and rejected. It asks neither AWS nor " +
			"Temporal, and needs no configuration file.\n\n" +
			"Exit code 0 where there is no mistake, 2 where there is one; with --strict also where there is a warning.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			found := linted{Problems: []problem{}, Warnings: []baselines.Doubt{}}
			if err := found.lint(cmd, args, time.Now()); err != nil {
				return err
			}
			found.OK = len(found.Problems) == 0 && (!strict || len(found.Warnings) == 0)
			if err := show(cmd, found, printLinted); err != nil {
				return err
			}
			if !found.OK {
				return &exitError{code: exitUsage}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "exit code 2 also where there is a warning")
	printsJSON(cmd)
	return cmd
}

func (l *linted) lint(cmd *cobra.Command, files []string, now time.Time) error {
	for _, file := range files {
		if err := l.file(file, now); err != nil {
			return &exitError{code: exitUsage, cause: err}
		}
	}
	if len(files) > 0 {
		return nil
	}
	for _, name := range baselines.Names() {
		_, doubts, err := baselines.LintEmbedded(name, now)
		if err != nil {
			return err
		}
		l.Files++
		l.Warnings = append(l.Warnings, doubts...)
	}
	directory, _, err := baselinesDir(cmd)
	if err != nil || directory == "" {
		return err
	}
	own, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil {
		return fmt.Errorf("list %s: %w", directory, err)
	}
	for _, file := range own {
		if err := l.file(file, now); err != nil {
			return &exitError{code: exitUsage, cause: err}
		}
	}
	// What only all of them together show, such as a name that two have.
	_, err = baselines.Open(directory)
	return l.mistakes(err)
}

func (l *linted) file(file string, now time.Time) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the baseline cannot be read: %w", err)
	}
	l.Files++
	_, doubts, err := baselines.Lint(file, data, now)
	l.Warnings = append(l.Warnings, doubts...)
	return l.mistakes(err)
}

// mistakes notes those of a file that are not known yet; what is no mistake of a file is an error.
func (l *linted) mistakes(err error) error {
	var all config.Errors
	if err != nil && !errors.As(err, &all) {
		return &exitError{code: exitUsage, cause: err}
	}
	for _, one := range all {
		if p := (problem{one.File, one.Line, one.Key, one.Message}); !slices.Contains(l.Problems, p) {
			l.Problems = append(l.Problems, p)
		}
	}
	return nil
}

func printLinted(out io.Writer, found linted) error {
	for _, p := range found.Problems {
		one := config.Error{File: p.File, Line: p.Line, Key: p.Key, Message: p.Message}
		line(out, "%s", one.Error())
	}
	for _, doubt := range found.Warnings {
		line(out, "warning: %s", doubt)
	}
	line(out, "%s, %s, %s", counted(found.Files, "baseline"), counted(len(found.Problems), "mistake"),
		counted(len(found.Warnings), "warning"))
	return nil
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
