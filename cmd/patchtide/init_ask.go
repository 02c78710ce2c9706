package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"charm.land/huh/v2"
	"github.com/spf13/cobra"
)

// ask completes the options: by the flags that every command has, by the environment, and on a terminal by questions
// for what nothing says.
func ask(cmd *cobra.Command, options *initOptions) error {
	var err error
	if options.evidence, err = cmd.Flags().GetString("evidence"); err != nil {
		return err
	}
	if options.keyFrom, err = cmd.Flags().GetString("journal-key-from"); err != nil {
		return err
	}
	if options.manifests, err = cmd.Flags().GetString("manifests"); err != nil {
		return err
	}
	if region := os.Getenv("AWS_REGION"); len(options.regions) == 0 && region != "" {
		options.regions = []string{region}
	}
	roles, regions := "", ""
	var questions []huh.Field
	if len(options.roles) == 0 {
		questions = append(questions, huh.NewInput().Title("Which roles may Patchtide assume, one for each account?").
			Description(
				"production=arn:aws:iam::111122223333:role/patchtide, with commas between",
			).Value(&roles).Validate(huh.ValidateNotEmpty()))
		if options.externalIDFrom == "" {
			questions = append(questions, huh.NewInput().Title("Where is the external id that they ask for?").
				Description("env:NAME, file:PATH or ssm:/NAME; empty for none").Value(&options.externalIDFrom))
		}
	}
	if len(options.regions) == 0 {
		questions = append(
			questions,
			huh.NewInput().Title("Which regions?").Description("with commas between").Value(&regions).Validate(
				huh.ValidateNotEmpty(),
			),
		)
	}
	if len(questions) > 0 && terminalIn(cmd) {
		form := huh.NewForm(huh.NewGroup(questions...)).WithInput(cmd.InOrStdin()).WithOutput(cmd.ErrOrStderr())
		if err := form.RunWithContext(cmd.Context()); err != nil {
			return fmt.Errorf("the questions were not answered: %w", err)
		}
	}
	options.roles = append(options.roles, list(roles)...)
	options.regions = append(options.regions, list(regions)...)
	switch {
	case len(options.roles) == 0:
		return errors.New(
			"--role is missing: the role to assume in each account, like production=arn:aws:iam::111122223333:role/patchtide",
		)
	case len(options.regions) == 0:
		return errors.New("--region is missing, and AWS_REGION is not set")
	}
	if options.evidence == "" {
		options.evidence = "./evidence"
	}
	if options.keyFrom == "" {
		options.keyFrom = "file:journal.key"
	}
	return nil
}

// list takes a text apart at its commas.
func list(text string) (all []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}
