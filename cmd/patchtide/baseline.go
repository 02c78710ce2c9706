package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/config"
	paws "github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/baselinesync"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

func newBaseline() *cobra.Command {
	cmd := parent("baseline", "Patch baselines as files: which there are, what is wrong, how AWS's differ",
		newBaselineList(), newBaselineLint(), newBaselineDiff(), newBaselineSync(), newBaselineAdopt())
	cmd.Long = "Patch baselines as files: those that come with Patchtide and those in baselines_dir. A wave and a scan " +
		"make Systems Manager's equal to the file by themselves; these commands show it before, do it alone, and turn " +
		"what is in Systems Manager into a file. They ask AWS with your credentials and the roles of the configuration, " +
		"as doctor does, and need no Temporal."
	return cmd
}

// known is a baseline as list tells it.
type known struct {
	Name            string   `json:"name"`
	OperatingSystem string   `json:"operating_system"`
	Description     string   `json:"description"`
	SSMName         string   `json:"ssm_name"`
	PatchGroup      string   `json:"patch_group,omitempty"`
	File            string   `json:"file,omitempty"` // "": it is built in
	Rules           int      `json:"rules"`
	Exceptions      int      `json:"exceptions"`
	Plans           []string `json:"plans"`
}

func newBaselineList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show every baseline that a plan may name, and which plans do",
		Example: `patchtide baseline list`,
		Long: "Show every baseline that a plan may name: those that come with Patchtide and those in baselines_dir, each " +
			"with its operating system and the plans that are patched by it. Without a configuration file it shows those " +
			"that come with Patchtide. It asks neither AWS nor Temporal.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			catalog, uses, err := knownBaselines(cmd)
			if err != nil {
				return err
			}
			all := []known{}
			for _, name := range catalog.Names() {
				b, err := catalog.Load(name)
				if err != nil {
					return err
				}
				one := known{
					Name: name, OperatingSystem: string(b.OperatingSystem), Description: b.Description, SSMName: b.SSMName(),
					PatchGroup: b.PatchGroup, File: catalog.File(name), Rules: len(b.Rules), Exceptions: len(b.Exceptions),
					Plans: []string{},
				}
				for _, use := range uses {
					if use.Baseline == name {
						one.Plans = append(one.Plans, use.Plans...)
					}
				}
				slices.Sort(one.Plans)
				one.Plans = slices.Compact(one.Plans)
				all = append(all, one)
			}
			return show(cmd, all, printBaselines)
		},
	}
	printsJSON(cmd)
	return cmd
}

// knownBaselines are those of the configuration, and what they are used for. Where there is no file nothing uses them.
func knownBaselines(cmd *cobra.Command) (*baselines.Catalog, []config.BaselineUse, error) {
	directory, there, err := baselinesDir(cmd)
	if err != nil {
		return nil, nil, err
	}
	if !there {
		catalog, err := baselines.Open(directory)
		if err != nil {
			return nil, nil, &exitError{code: exitUsage, cause: err}
		}
		return catalog, nil, nil
	}
	loaded, err := loadConfig(cmd)
	if err != nil {
		return nil, nil, err
	}
	return loaded.Baselines, loaded.BaselineUses(), nil
}

func baselinesDir(cmd *cobra.Command) (directory string, there bool, err error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return "", false, err
	}
	if directory, there, err = config.BaselinesDir(path, cmd.Flags()); err != nil {
		return "", false, &exitError{code: exitUsage, cause: err}
	}
	return directory, there, nil
}

func printBaselines(out io.Writer, all []known) error {
	var rows [][]string
	for _, one := range all {
		from := one.File
		if from == "" {
			from = "built in"
		}
		exceptions := ""
		if one.Exceptions > 0 {
			exceptions = strconv.Itoa(one.Exceptions)
		}
		rows = append(rows, []string{one.Name, one.OperatingSystem, from, exceptions, strings.Join(one.Plans, ", ")})
	}
	_, err := io.WriteString(
		out, console.PageOf(out).Table([]string{"Baseline", "System", "From", "Exceptions", "Plans"}, rows)+"\n",
	)
	return err
}

// placesOf are where plans use baselines, only that of one name where one is given, each with a way into its account.
// It asks AWS nothing yet.
func placesOf(
	ctx context.Context, loaded *config.Config, name string, stderr io.Writer,
) ([]baselinesync.Place, error) {
	sdk, err := awsConfig(ctx, stderr)
	if err != nil {
		return nil, err
	}
	if name != "" {
		if _, err := loaded.Baselines.Load(name); err != nil {
			return nil, &exitError{code: exitUsage, cause: err}
		}
	}
	entries := map[string]func(context.Context, string) (*paws.Services, error){}
	for _, account := range loaded.Accounts {
		entries[account.Name] = enterAccount(sdk, account)
	}
	blocks := worker.Blocks(loaded, sdk)
	var places []baselinesync.Place
	var used []string
	for _, use := range loaded.BaselineUses() {
		used = append(used, use.Baseline)
		if name != "" && use.Baseline != name {
			continue
		}
		wanted, err := loaded.Baselines.Load(use.Baseline)
		if err != nil {
			return nil, err
		}
		places = append(places, baselinesync.Place{
			Account: use.Account, Region: use.Region, Baseline: wanted, Plans: use.Plans, Blocks: blocks,
			Connect: func(ctx context.Context) (*paws.Services, error) { return entries[use.Account](ctx, use.Region) },
		})
	}
	if len(places) == 0 {
		return nil, &exitError{code: exitUsage, cause: fmt.Errorf(
			"no plan of %s is patched by the baseline %s; plans are by %s", loaded.File, name,
			strings.Join(slices.Compact(used), ", "),
		)}
	}
	return places, nil
}

// enterAccount is the way into an account, by its role. One that cannot be entered keeps nobody from the others.
func enterAccount(
	sdk aws.Config, account config.Account,
) func(ctx context.Context, region string) (*paws.Services, error) {
	var mu sync.Mutex
	var clouds *cloud.Cloud
	return func(ctx context.Context, region string) (*paws.Services, error) {
		mu.Lock()
		defer mu.Unlock()
		if clouds == nil {
			known, err := worker.CloudAccount(ctx, account, sdk)
			if err != nil {
				return nil, fmt.Errorf("its external id cannot be read (external_id_from): %w", err)
			}
			opened, err := cloud.New(cloud.Options{Config: sdk, Version: version(), Accounts: []cloud.Account{known}})
			if err != nil {
				return nil, err
			}
			clouds = opened
		}
		clients, err := clouds.Connect(ctx, patch.Account{Name: account.Name, ID: account.ID}, region)
		if err != nil {
			return nil, err
		}
		return clients.Services(), nil
	}
}

// optional is the argument that may be left out.
func optional(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// errNothingChanged is what a person's no comes to.
var errNothingChanged = errors.New("nothing was changed")
