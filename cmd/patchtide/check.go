package main

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/pollers"
)

func newCheck() *cobra.Command {
	strict := false
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Check a configuration file, offline",
		Example: `patchtide check --config patchtide.yaml`,
		Long: "Check a configuration file without asking AWS anything. Every mistake is told as file:line: key: what to " +
			"write instead.\nWhere a Temporal answers within two seconds it is asked whether the workers that run know this " +
			"file; one that knows another is told, since it has to be restarted. Nothing depends on it: the file is as right " +
			"without.\n--strict calls it wrong also where somebody has to decide anew: the day of an exception of a baseline " +
			"is over.\nExit code 0 where it is right, 2 where it is wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := loadWorkerConfig(cmd)
			var others []pollers.OtherConfiguration
			if err == nil {
				others = askOtherConfigurations(cmd.Context(), loaded)
				if over := loaded.CheckOver(time.Now()); strict && over != nil {
					err = &exitError{code: exitUsage, cause: over}
				}
			}
			if asJSON(cmd) {
				return printCheck(cmd, others, err)
			}
			if err != nil {
				return err
			}
			line(
				cmd.OutOrStdout(), "%s is right: %d accounts, plans %v", loaded.File, len(loaded.Accounts), loaded.PlanNames(),
			)
			if err := printWarnings(cmd.OutOrStdout(), loaded); err != nil {
				return err
			}
			printOtherConfigurations(cmd.OutOrStdout(), others)
			return nil
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "wrong also where the day of an exception of a baseline is over")
	printsJSON(cmd)
	return cmd
}

// printWarnings tells of each plan which exceptions of its baselines are over, what putting an instance back loses,
// which stage begins after failures, and where backups are too old for a roll back once a stage has soaked: at design
// time is the time to know.
func printWarnings(out io.Writer, loaded *config.Config) error {
	for _, name := range loaded.PlanNames() {
		plan, err := loaded.Plan(name)
		if err != nil {
			return err
		}
		for _, said := range slices.Concat(
			loaded.Over(name, time.Now()), []string{plan.PutBackLoses()}, plan.RootsLost(), plan.PromotionDoubts(),
			plan.SoakWarnings(),
		) {
			if said != "" {
				line(out, "plan %s: %s", name, said)
			}
		}
	}
	return nil
}

// checked is the document that `check --json` prints.
type checked struct {
	OK       bool      `json:"ok"`
	Problems []problem `json:"problems"`
	// Workers are those that run and know another configuration, where a Temporal answered.
	Workers []pollers.OtherConfiguration `json:"workers,omitempty"`
}

type problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

func printCheck(cmd *cobra.Command, others []pollers.OtherConfiguration, err error) error {
	document := checked{OK: err == nil, Problems: []problem{}, Workers: others}
	var all config.Errors
	if errors.As(err, &all) {
		for _, one := range all {
			document.Problems = append(
				document.Problems, problem{File: one.File, Line: one.Line, Key: one.Key, Message: one.Message},
			)
		}
	} else if err != nil {
		return err
	}
	if err := printJSON(cmd.OutOrStdout(), document); err != nil {
		return err
	}
	if !document.OK {
		return &exitError{code: exitUsage}
	}
	return nil
}
