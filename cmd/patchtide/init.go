package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/starter"
	"github.com/patchtide/patchtide/internal/worker"
)

// initOptions are the answers to what init asks.
type initOptions struct {
	roles          []string // [NAME=]ARN
	externalIDFrom string
	regions        []string
	evidence       string
	keyFrom        string
	manifests      string
	force          bool
}

func newInit() *cobra.Command {
	var options initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first patchtide.yaml from what is in your accounts",
		Long: "Write a first patchtide.yaml, with comments, from what is in your accounts: Auto Scaling groups, " +
			"instances by their tag Role, target " +
			"groups, and the operating systems that Systems Manager knows. What is tagged or named as staging, test and " +
			"the like comes before the rest. " +
			"Groups that EKS, ECS or Elastic Beanstalk operate are left out. It changes nothing in AWS, and no file " +
			"without --force.\n\n" +
			"What no flag says is asked on a terminal; without one nothing is asked.",
		Example: "patchtide init --role staging=arn:aws:iam::222233334444:role/patchtide --role " +
			"production=arn:aws:iam::111122223333:role/patchtide " +
			"--external-id-from env:PATCHTIDE_EXTERNAL_ID --region ap-northeast-1",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := cmd.Flags().GetString("config")
			if err != nil {
				return err
			}
			if !options.force { // before anything is asked
				if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
					return &exitError{
						code:  exitUsage,
						cause: fmt.Errorf("%s is there already; name another file by --config, or give --force to overwrite it", path),
					}
				}
			}
			if err := ask(cmd, &options); err != nil {
				return wrongUsage(cmd, err)
			}
			result, err := begunFile(cmd.Context(), path, options, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return show(cmd, result, printBegun)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(
		&options.roles, "role", nil, "a role to assume, one for each account: NAME=ARN, or ARN; may be repeated",
	)
	flags.StringVar(
		&options.externalIDFrom, "external-id-from", "",
		"where the roles' external id is read from: env:NAME, file:PATH or ssm:/NAME",
	)
	flags.StringSliceVar(
		&options.regions, "region", nil, "a region to look at; may be repeated. Default: the region of AWS's configuration",
	)
	// --evidence, --manifests and --journal-key-from are flags of every command.
	flags.BoolVar(&options.force, "force", false, "overwrite the file")
	printsJSON(cmd)
	return cmd
}

// begun is what `init --json` prints.
type begun struct {
	File    string            `json:"file"`
	Plans   []string          `json:"plans"`
	Groups  int               `json:"groups"`
	LeftOut []starter.LeftOut `json:"left_out"`
	Mend    []toMend          `json:"mend"`
	KeyFrom string            `json:"journal_key_from"`
}

// toMend is what a wave would refuse of a group, with the commands that mend it.
type toMend struct {
	Where    string `json:"where"`
	What     string `json:"what"`
	WhatToDo string `json:"what_to_do"`
}

// begunFile looks at every account and writes the file.
func begunFile(ctx context.Context, path string, options initOptions, stderr io.Writer) (begun, error) {
	sdk, err := awsConfig(ctx, stderr)
	if err != nil {
		return begun{}, err
	}
	fleet, err := lookAround(ctx, sdk, options)
	if err != nil {
		return begun{}, err
	}
	if len(fleet.Groups) == 0 {
		return begun{}, fmt.Errorf(
			"nothing to patch was found in %s%s", strings.Join(options.regions, ", "), leftOut(fleet.LeftOut),
		)
	}
	text, err := starter.Write(path, fleet, starter.Settings{
		Evidence: options.evidence, JournalKeyFrom: options.keyFrom, Manifests: options.manifests,
	})
	if err != nil {
		return begun{}, err
	}
	if err := writeNew(path, text, options.force); err != nil {
		return begun{}, err
	}
	result := begun{File: path, Groups: len(fleet.Groups), LeftOut: append([]starter.LeftOut{}, fleet.LeftOut...)}
	result.KeyFrom, result.Mend = options.keyFrom, []toMend{}
	for _, group := range fleet.Groups {
		if found := group.Elsewhere; found != nil {
			result.Mend = append(result.Mend, toMend{found.Where, found.What, found.WhatToDo})
		}
	}
	for _, plan := range starter.Plans(fleet.Groups) {
		result.Plans = append(result.Plans, plan.Name)
	}
	return result, nil
}

// lookAround looks at every region of every account.
func lookAround(ctx context.Context, sdk aws.Config, options initOptions) (starter.Fleet, error) {
	var fleet starter.Fleet
	external, err := worker.ReadSecret(ctx, config.Source(options.externalIDFrom), sdk)
	if err != nil {
		return fleet, &exitError{code: exitUsage, cause: fmt.Errorf("--external-id-from: %w", err)}
	}
	for _, role := range options.roles {
		name, text, named := strings.Cut(role, "=")
		if !named {
			name, text = "", role
		}
		parsed, err := arn.Parse(text)
		if err != nil || parsed.Service != "iam" || !strings.HasPrefix(parsed.Resource, "role/") {
			return fleet, &exitError{
				code:  exitUsage,
				cause: fmt.Errorf("--role %s: write it like production=arn:aws:iam::111122223333:role/patchtide", role),
			}
		}
		account := starter.Account{Name: name, ID: parsed.AccountID, RoleARN: text, ExternalIDFrom: options.externalIDFrom}
		if account.Name == "" {
			account.Name = "account-" + account.ID
		}
		clouds, err := cloud.New(
			cloud.Options{
				Config: sdk, Version: version(),
				Accounts: []cloud.Account{{ID: account.ID, Name: account.Name, RoleARN: text, ExternalID: external}},
			},
		)
		if err != nil {
			return fleet, err
		}
		for _, region := range options.regions {
			clients, err := clouds.Connect(ctx, patch.Account{Name: account.Name, ID: account.ID}, region)
			if err != nil {
				return fleet, err
			}
			if err := enterRole(ctx, clients, options.externalIDFrom); err != nil {
				return fleet, err
			}
			before := len(fleet.Groups)
			if err := fleet.Look(ctx, account.Name, region, clients); err != nil {
				return fleet, err
			}
			if len(fleet.Groups) > before {
				account.Regions = append(account.Regions, region)
			}
		}
		if len(account.Regions) > 0 && !slices.ContainsFunc(
			fleet.Accounts, func(other starter.Account) bool { return other.ID == account.ID },
		) {
			fleet.Accounts = append(fleet.Accounts, account)
		}
	}
	return fleet, nil
}

// writeNew writes a file whole or not at all; without force one that appeared meanwhile stays.
func writeNew(path string, text []byte, force bool) (err error) {
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if gone := os.Remove(draft.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	_, err = draft.Write(text)
	if err := errors.Join(err, draft.Chmod(0o644), draft.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if force {
		return os.Rename(draft.Name(), path)
	}
	return os.Link(draft.Name(), path)
}

func leftOut(all []starter.LeftOut) string {
	var text strings.Builder
	for _, each := range all {
		fmt.Fprintf(&text, "\nleft out  %s: %s", each.Where, each.Why)
	}
	return text.String()
}

func printBegun(out io.Writer, result begun) error {
	line(out, "%s: %d groups in plans %v", result.File, result.Groups, result.Plans)
	for _, each := range result.LeftOut {
		line(out, "left out  %s: %s", each.Where, each.Why)
	}
	for _, each := range result.Mend {
		line(out, "before a wave  %s: %s", each.Where, each.What)
		line(out, "    %s", each.WhatToDo)
	}
	line(out, "")
	line(out, "%s", nextSteps(result.KeyFrom))
	return nil
}
