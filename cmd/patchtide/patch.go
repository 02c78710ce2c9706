package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	shown "github.com/patchtide/patchtide/internal/plain"
	"github.com/patchtide/patchtide/workflows"
)

func newPatch() *cobra.Command {
	return parent("patch", "List, block and clear patches that no machine may get",
		newPatchVerb(patch.ListBlocked, "List the patches that are blocked",
			"List the patches that no wave installs, of any plan and account: by whom, since and until when, and why; and "+
				"what was cleared lately."),
		newPatchVerb(patch.BlockPatch, "Keep a version of a package from every machine",
			"Keep a version of a package, or an update of Windows, from every machine of every plan and account, until it "+
				"is cleared or --until has come. Waves leave it out, a machine that would get it all the same is not begun, "+
				"and one that has got it is put back. Who runs it already is told and left so.\n"+
				"PATCH is written as Systems Manager lists packages, name.arch:epoch:version-release, or like KB5031234."),
		newPatchVerb(patch.ClearPatch, "Let a blocked patch be installed again",
			"Let a blocked patch be installed again, where baselines approve it. Exit code 1 where one was not blocked."))
}

// newPatchVerb makes the command of one thing that people do about blocked patches.
func newPatchVerb(verb patch.BlockVerb, short, long string) *cobra.Command {
	request := workflows.PatchesRequest{Verb: verb}
	cmd := &cobra.Command{
		Use: string(verb) + " PATCH...", Short: short, Long: long, Args: cobra.MinimumNArgs(1),
		Example: "patchtide patch " + string(verb) +
			` openssl.x86_64:1:3.2.2-1.amzn2023.0.1 --reason "logins fail since"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			request.Patches = args
			if err := request.Validate(); err != nil {
				return wrongUsage(cmd, errors.New(plain(err)))
			}
			if until, err := time.Parse(time.RFC3339, request.Until); err == nil && !until.After(time.Now()) {
				return wrongUsage(cmd, fmt.Errorf("--until: %s has passed", request.Until))
			}
			return runPatches(cmd, request)
		},
	}
	cmd.Flags().StringVar((*string)(&request.Platform), "platform", "",
		"linux or windows (default: what the patch looks like; of list: both)")
	switch verb {
	case patch.ListBlocked:
		cmd.Use, cmd.Args, cmd.Example = "list", cobra.NoArgs, "patchtide patch list"
	case patch.BlockPatch:
		cmd.Flags().StringVar(&request.Until, "until", "",
			"the `moment` from which it binds no longer, in RFC 3339 (default: until it is cleared)")
		decides(cmd, &request.Actor, &request.Reason, "who blocks it", "why; whoever misses it will ask")
	case patch.ClearPatch:
		decides(cmd, &request.Actor, &request.Reason, "who clears it", "why it is good now")
	}
	printsJSON(cmd)
	return cmd
}

// runPatches starts the workflow, or joins one with the same words, and shows what it came to.
func runPatches(cmd *cobra.Command, request workflows.PatchesRequest) error {
	return withWorker(cmd, func(c client.Client) error {
		words, err := json.Marshal(request)
		if err != nil {
			return err
		}
		run, err := c.ExecuteWorkflow(cmd.Context(), client.StartWorkflowOptions{
			ID: names.PatchesID(request.Verb, string(words)), TaskQueue: names.TaskQueue,
			StaticSummary: fmt.Sprintf("%s patches, started by %s", request.Verb, operatorName()),
			StaticDetails: "**Started because**: " + shown.Markdown(request.Reason),
		}, names.Patches, request)
		if err != nil {
			return fmt.Errorf("start %s: %w", names.Patches, err)
		}
		var result workflows.PatchesResult
		if err := awaitResult(cmd, c, run, request.Verb == patch.ListBlocked, &result); err != nil {
			return fmt.Errorf("%s: %s", run.GetID(), plain(err))
		}
		if err := show(cmd, result, printPatches); err != nil {
			return err
		}
		if len(result.Not) > 0 {
			return &exitError{code: exitFailed}
		}
		return nil
	})
}

// printPatches writes what was changed, then what is blocked.
func printPatches(out io.Writer, result workflows.PatchesResult) error {
	for _, one := range result.Fresh {
		line(out, "%s", one)
	}
	if result.Verb == patch.BlockPatch && len(result.Fresh) == 0 {
		line(out, "nothing changed: it is blocked already")
	}
	for _, runs := range result.Runs {
		line(out, "  %s", runs)
	}
	for _, one := range result.Cleared {
		still, said := result.Blocked.Overlapping(one), "cleared, and blocked no longer"
		if still != nil {
			said = "cleared"
		}
		line(out, "%s: %s, which %s had blocked at %s: %s", said, one.Patch(), one.Actor, console.Moment(one.Since),
			one.Reason)
		if still != nil {
			line(out, "  blocked still, as %s; to clear that: %s", still.Patch(), still.Clear())
		}
	}
	for _, not := range result.Not {
		line(out, "not blocked: %s; patchtide patch list shows what is", not)
	}
	if result.Verb != patch.ListBlocked {
		line(out, "%d blocked in all: patchtide patch list", len(result.Blocked))
		return nil
	}
	if len(result.Blocked) == 0 {
		line(out, "nothing is blocked")
	}
	for _, one := range result.Blocked {
		line(out, "%s", one)
		line(out, "  to clear it: %s", one.Clear())
	}
	for _, cleared := range result.Before {
		line(out, "cleared: %s by %s at %s: %s", cleared.Patch.Patch(), cleared.Actor, console.Moment(cleared.At),
			cleared.Reason)
	}
	return nil
}
