package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/usage"
)

// holdsOthers marks a command that does nothing itself.
const holdsOthers = "holds-others"

// parent is a command that only holds others: by itself it shows its help, and an unknown one below it is wrong usage.
func parent(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: usage.Command,
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Annotations: map[string]string{holdsOthers: ""},
	}
	cmd.AddCommand(children...)
	var examples []string
	for _, child := range children[:min(len(children), 3)] {
		example, _, _ := strings.Cut(child.Example, "\n")
		examples = append(examples, example)
	}
	cmd.Example = strings.Join(examples, "\n")
	return cmd
}

// withTemporal connects to Temporal for one command.
func withTemporal(cmd *cobra.Command, do func(c client.Client) error) error {
	c, err := operatorClient(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// unproven is what every --actor says of itself.
const unproven = ": what is written here, which nothing proves"

// decides adds the flags of a command that somebody answers for; who and why say what is asked for.
func decides(cmd *cobra.Command, actor, reason *string, who, why string) {
	cmd.Flags().Var(oneLineOf(actor, operatorName()), "actor", who+unproven)
	cmd.Flags().Var(oneLineOf(reason, ""), "reason", why)
}

// printsJSON adds --json, which show and asJSON read.
func printsJSON(cmd *cobra.Command) { cmd.Flags().Bool("json", false, "print one JSON document") }

func asJSON(cmd *cobra.Command) bool {
	wanted, err := cmd.Flags().GetBool("json")
	return err == nil && wanted
}

// show writes a command's result: as one document with --json, else as human writes it for a person.
func show[T any](cmd *cobra.Command, result T, human func(io.Writer, T) error) error {
	if asJSON(cmd) {
		return printJSON(cmd.OutOrStdout(), result)
	}
	return human(cmd.OutOrStdout(), result)
}

func printJSON(out io.Writer, document any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

// begin starts a workflow whose id is a lock. summary and details are what the Temporal UI shows, already what is said
// when one runs.
func begin(
	ctx context.Context, c client.Client, workflow, id, summary, details string, input any, already string,
) (client.WorkflowRun, error) {
	reuse := enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	if workflow == names.PatchWave {
		// Its evidence is kept by its id: another under the same one would take the first one's place.
		reuse = enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	}
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: names.TaskQueue, WorkflowExecutionErrorWhenAlreadyStarted: true, StaticSummary: summary,
		StaticDetails: details, WorkflowIDReusePolicy: reuse,
	}, workflow, input)
	var runs *serviceerror.WorkflowExecutionAlreadyStarted
	switch {
	case errors.As(err, &runs):
		return nil, errors.New(already)
	case err != nil:
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	return run, nil
}

// waitForIt is what to do about a workflow of one id that runs already.
func waitForIt(id string) string {
	return id + " runs already; wait for it, or see it in the Temporal UI"
}
