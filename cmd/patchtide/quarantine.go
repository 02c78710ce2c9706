package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	shown "github.com/patchtide/patchtide/internal/plain"
	"github.com/patchtide/patchtide/workflows"
)

func newQuarantine() *cobra.Command {
	return parent("quarantine", "List, release and terminate quarantined instances",
		newQuarantineList(),
		newQuarantineVerb(patch.QuarantineRelease, "Return an instance to its group and check its health",
			"Return a quarantined instance to its group: it gets its old security groups and registrations back, and its\n"+
				"health is checked; one that is not healthy goes back into quarantine. Where its group has no room, the\n"+
				"instance that was launched in its place is terminated first, or the one that --give-way names.\n"+
				"Exit code 1 where it was not released."),
		newQuarantineVerb(patch.QuarantineTerminate, "Terminate an instance",
			"Terminate a quarantined instance. Snapshots and replaced volumes of it are kept until their retention is over.\n"+
				"Exit code 1 where it was not terminated."))
}

func newQuarantineList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the quarantined instances of every account and region",
		Example: `patchtide quarantine list`,
		Long: "List the quarantined instances of every account and region of the worker's configuration: why, since " +
			"when and until when. Exit code 1 where something could not be looked at.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			result, err := runQuarantine(cmd, names.QuarantineListID, workflows.QuarantineRequest{Verb: patch.QuarantineList})
			if err != nil {
				return err
			}
			return tellQuarantine(cmd, result, len(result.Problems) == 0)
		},
	}
	printsJSON(cmd)
	return cmd
}

// newQuarantineVerb makes the command of one end of a quarantine.
func newQuarantineVerb(verb patch.QuarantineVerb, short, long string) *cobra.Command {
	request := workflows.QuarantineRequest{Verb: verb}
	cmd := &cobra.Command{
		Use: string(verb) + " INSTANCE", Short: short, Long: long, Args: cobra.ExactArgs(1),
		Example: "patchtide quarantine " + string(verb) + ` i-0123456789abcdef0 --reason "its disk was looked at"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			request.Instance = args[0]
			if err := request.Validate(); err != nil {
				return wrongUsage(cmd, errors.New(plain(err)))
			}
			result, err := runQuarantine(cmd, names.QuarantineID(request.Instance), request)
			if err != nil {
				return err
			}
			done := result.Ended != nil && (result.Ended.Outcome == patch.Released || result.Ended.Outcome == patch.Terminated)
			return tellQuarantine(cmd, result, done && len(result.Problems) == 0)
		},
	}
	decides(cmd, &request.Actor, &request.Reason, "who decides", "why; it is kept in the journal")
	if verb == patch.QuarantineRelease {
		cmd.Flags().StringVar(&request.GiveWay, "give-way", "",
			"the instance that is terminated first, instead of the one launched in its place")
	}
	printsJSON(cmd)
	return cmd
}

// runQuarantine starts the workflow and waits for its result.
func runQuarantine(
	cmd *cobra.Command, id string, request workflows.QuarantineRequest,
) (result *workflows.QuarantineResult, err error) {
	err = withWorker(cmd, func(c client.Client) error {
		result, err = startQuarantine(cmd, c, id, request)
		return err
	})
	return result, err
}

func startQuarantine(
	cmd *cobra.Command, c client.Client, id string, request workflows.QuarantineRequest,
) (*workflows.QuarantineResult, error) {
	summary := fmt.Sprintf("%s %s, started by %s", request.Verb, request.Instance, request.Actor)
	details := "**Started because**: " + shown.Markdown(request.Reason)
	run, err := begin(cmd.Context(), c, names.Quarantine, id, summary, details, request, waitForIt(id))
	if err != nil {
		return nil, err
	}
	if request.Verb != patch.QuarantineList { // it may wait for half an hour until the instance serves
		line(cmd.ErrOrStderr(), "%s of %s is asked for. Ctrl-C ends this waiting and not that; how it stands: "+
			"patchtide quarantine list", request.Verb, request.Instance)
	}
	var result workflows.QuarantineResult
	if err := awaitResult(cmd, c, run, request.Verb == patch.QuarantineList, &result); err != nil {
		return nil, fmt.Errorf("%s: %s", id, plain(err))
	}
	return &result, nil
}

// tellQuarantine prints the result and makes its exit code.
func tellQuarantine(cmd *cobra.Command, result *workflows.QuarantineResult, done bool) error {
	err := show(cmd, result, printQuarantine)
	if err == nil && !done {
		err = &exitError{code: exitFailed}
	}
	return err
}

// printQuarantine writes the result for a person, what needs one first.
func printQuarantine(out io.Writer, result *workflows.QuarantineResult) error {
	for _, problem := range result.Problems {
		line(out, "problem    %s/%s %s: %s", problem.Account, problem.Region, problem.Resource, problem.State)
		line(out, "           to do: %s", problem.WhatToDo)
	}
	if ended := result.Ended; ended != nil {
		line(out, "%s %s", ended.ID, ended.Outcome.Words())
		for _, said := range append([]string{ended.Reason}, ended.Notes...) {
			if said != "" {
				line(out, "  %s", said)
			}
		}
		return nil
	}
	for _, one := range result.Instances {
		until := "until a person decides"
		if one.Until != nil {
			until = "terminated at " + console.Moment(*one.Until) + " if nobody decides"
		}
		isolated := ""
		if one.Isolated {
			isolated = ", isolated"
		}
		line(out, "%s %s/%s/%s since %s, %s%s, by %s", one.Instance, one.Account, one.Region, one.Group,
			console.Moment(one.Since), until, isolated, one.WaveID)
		line(out, "  %s", one.Why)
	}
	line(out, "%d in quarantine", len(result.Instances))
	if len(result.Instances) > 0 {
		line(out, "To end one: `patchtide quarantine release INSTANCE` returns it to its group, `patchtide quarantine "+
			"terminate INSTANCE` ends it; each with --reason")
	}
	return nil
}
