package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// completeWithin is how long a shell waits for live names: longer, and a person types them.
const completeWithin = 2 * time.Second

// mostCompleted is how many waves are offered of each kind.
const mostCompleted = 25

// completes gives every command below root live names, by what its usage line calls its argument and by its flags'
// names. Whatever is away, nothing is offered and nothing said: a shell has no place for errors.
func completes(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		completes(cmd)
	}
	_, argument, _ := strings.Cut(root.Use, " ")
	switch argument {
	case "WAVE", "[WAVE]":
		root.ValidArgsFunction = first(completeWaves)
	case "WAVE [OTHER]":
		root.ValidArgsFunction = atMost(2, completeWaves)
	case "PLAN":
		root.ValidArgsFunction = first(completePlans)
	case "[NAME]":
		root.ValidArgsFunction = first(completeBaselines)
	case "[FILE...]":
		root.ValidArgsFunction = nil // the shell's own
	case "INSTANCE":
		root.ValidArgsFunction = first(completeQuarantined)
	default:
		root.ValidArgsFunction = cobra.NoFileCompletions
	}
	for flag, list := range map[string]lists{
		"wave": completeWaves, "plan": completePlans, "stage": completeStages, "account": completeAccounts,
		"state": completeStates, "scope": completeScopes,
	} {
		if root.LocalNonPersistentFlags().Lookup(flag) != nil {
			// Its only error is a second registration.
			_ = root.RegisterFlagCompletionFunc(
				flag, func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
					return list(cmd), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
				})
		}
	}
}

// lists names what may stand somewhere on a command line, the likeliest first; nil when it cannot be learnt.
type lists func(cmd *cobra.Command) []cobra.Completion

// first completes the first argument only.
func first(list lists) cobra.CompletionFunc { return atMost(1, list) }

// atMost completes so many arguments.
func atMost(arguments int, list lists) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= arguments {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return list(cmd), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// completeWaves lists waves: those that run, and for commands that take a closed one, too, the newest of those.
func completeWaves(cmd *cobra.Command) (found []cobra.Completion) {
	takesClosed := slices.Contains([]string{"show", "watch", "logs", "diff", "roll-back", "links"}, cmd.Name())
	asksTemporal(cmd, func(ctx context.Context, c client.Client) {
		for _, of := range []struct {
			status string
			wanted bool
		}{{"Running", true}, {"!Running", takesClosed}} {
			if !of.wanted {
				continue
			}
			waves, err := listWaves(ctx, c, listFilter{status: of.status, most: mostCompleted})
			if err != nil {
				return
			}
			for _, wave := range waves {
				told := wave.told()
				if wave.Outcome != "" {
					told += ": " + patch.Outcome(wave.Outcome).Words()
				} else if wave.Stage != "" {
					told += ": " + wave.Stage
				}
				found = append(found, cobra.CompletionWithDesc(wave.WaveID, told))
			}
		}
	})
	return found
}

// completeQuarantined lists what the last `quarantine list` found. Asking anew would begin a workflow for each press of
// a key.
func completeQuarantined(cmd *cobra.Command) (found []cobra.Completion) {
	asksTemporal(cmd, func(ctx context.Context, c client.Client) {
		var result workflows.QuarantineResult
		if c.GetWorkflow(ctx, names.QuarantineListID, "").Get(ctx, &result) != nil {
			return
		}
		for _, one := range result.Instances {
			found = append(
				found,
				cobra.CompletionWithDesc(one.Instance, fmt.Sprintf("%s/%s/%s: %s", one.Account, one.Region, one.Group, one.Why)),
			)
		}
	})
	return found
}

// asksTemporal asks within the time that a shell waits.
func asksTemporal(cmd *cobra.Command, ask func(ctx context.Context, c client.Client)) {
	ctx, stop := context.WithTimeout(cmd.Context(), completeWithin)
	defer stop()
	cmd.SetContext(ctx)
	if c, err := operatorClient(cmd); err == nil {
		defer c.Close()
		ask(ctx, c)
	}
}

func completePlans(cmd *cobra.Command) (found []cobra.Completion) {
	fromConfig(cmd, func(loaded *config.Config) { found = loaded.PlanNames() })
	return found
}

// completeBaselines lists those by which plans are patched.
func completeBaselines(cmd *cobra.Command) (found []cobra.Completion) {
	fromConfig(cmd, func(loaded *config.Config) {
		for _, use := range loaded.BaselineUses() {
			if !slices.Contains(found, use.Baseline) {
				found = append(found, use.Baseline)
			}
		}
	})
	return found
}

func completeStages(cmd *cobra.Command) (found []cobra.Completion) {
	fromConfig(cmd, func(loaded *config.Config) {
		for _, name := range loaded.PlanNames() {
			plan, err := loaded.Plan(name)
			if err != nil {
				continue
			}
			for _, stage := range plan.Stages {
				if !slices.Contains(found, stage.Name) {
					found = append(found, stage.Name)
				}
			}
		}
	})
	return found
}

func completeAccounts(cmd *cobra.Command) (found []cobra.Completion) {
	fromConfig(cmd, func(loaded *config.Config) {
		for _, account := range loaded.Accounts {
			found = append(found, account.Name)
		}
	})
	return found
}

// fromConfig reads the configuration file, if it is there and right.
func fromConfig(cmd *cobra.Command, read func(*config.Config)) {
	if loaded, err := loadConfig(cmd); err == nil {
		read(loaded)
	}
}

func completeStates(*cobra.Command) []cobra.Completion {
	var states []cobra.Completion
	for _, state := range patch.WaveStates() {
		states = append(states, string(state))
	}
	return states
}

func completeScopes(*cobra.Command) []cobra.Completion {
	return []cobra.Completion{string(patch.ScopeStage), string(patch.ScopeWave)}
}
