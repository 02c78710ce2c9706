package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/baselinesync"
)

// adopted is what adopt has written.
type adopted struct {
	*baselinesync.Adopted
	File    string `json:"file,omitempty"` // "": it was printed
	Account string `json:"account"`
	Region  string `json:"region"`
	Content string `json:"content,omitempty"` // where no file was written
}

// toStdout is the file that is printed.
const toStdout = "-"

type adoptOptions struct {
	account, region, name, group, out string
	force                             bool
}

func newBaselineAdopt() *cobra.Command {
	var options adoptOptions
	cmd := &cobra.Command{
		Use:   "adopt BASELINE",
		Short: "Write the file of a baseline that is in Systems Manager",
		Example: `patchtide baseline adopt corp-al2023 --account production --region ap-northeast-1
patchtide baseline adopt pb-0c10e65780EXAMPLE --account staging --region eu-west-1 --out -`,
		Long: "Write the file of a patch baseline that is in Systems Manager, by its id or its name, into baselines_dir, " +
			"so that plans can name it and it is kept as code from then on. Its name there stays (ssm_name). A comparison of " +
			"the two finds nothing; what no file can say is refused with its name. It changes nothing in AWS.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := adopt(cmd, args[0], options)
			if err != nil {
				return err
			}
			if options.out == toStdout && !asJSON(cmd) {
				for _, note := range result.Notes {
					line(cmd.ErrOrStderr(), "note: %s", note)
				}
				_, err := cmd.OutOrStdout().Write(result.Text)
				return err
			}
			return show(cmd, result, printAdopted)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.account, "account", "", "the account of the configuration that it is in, by its name")
	flags.StringVar(&options.region, "region", "", "the region that it is in")
	flags.StringVar(&options.name, "name", "", "what plans will call it; left out, what Systems Manager does")
	flags.StringVar(&options.group, "patch-group", "", "the patch group that the file names, where it has several")
	flags.StringVar(&options.out, "out", "", "the file to write, - for the terminal; left out, NAME.yaml in baselines_dir")
	flags.BoolVar(&options.force, "force", false, "overwrite the file")
	printsJSON(cmd)
	return cmd
}

func adopt(cmd *cobra.Command, baseline string, options adoptOptions) (result adopted, err error) {
	for _, flag := range []struct{ name, value string }{{"--account", options.account}, {"--region", options.region}} {
		if flag.value == "" {
			return result, wrongUsage(cmd, errors.New(flag.name+" is missing: a name is one of many in AWS"))
		}
	}
	loaded, err := loadConfig(cmd)
	if err != nil {
		return result, err
	}
	account, known := loaded.Account(options.account)
	if !known {
		var names []string
		for _, one := range loaded.Accounts {
			names = append(names, one.Name)
		}
		return result, wrongUsage(cmd, fmt.Errorf("there is no account %q in %s; known: %s", options.account, loaded.File,
			strings.Join(names, ", ")))
	}
	if options.out == "" && loaded.Settings.BaselinesDir == "" {
		return result, wrongUsage(
			cmd, errors.New("where to? set baselines_dir in the configuration, or name a file by --out"),
		)
	}
	if options.name == "" && options.out != "" && options.out != toStdout {
		options.name = strings.TrimSuffix(filepath.Base(options.out), filepath.Ext(options.out))
	}
	sdk, err := awsConfig(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return result, err
	}
	services, err := enterAccount(sdk, account)(cmd.Context(), options.region)
	if err != nil {
		return result, err
	}
	result = adopted{Account: account.Name, Region: options.region}
	if result.Adopted, err = baselinesync.Adopt(
		cmd.Context(), services, account.Name+"/"+options.region, baselinesync.Adoption{
			Baseline: baseline, Name: options.name, PatchGroup: options.group, Catalog: loaded.Baselines,
		}); err != nil {
		return result, err
	}
	if options.out == toStdout {
		result.Content = string(result.Text)
		return result, nil
	}
	result.File = options.out
	if result.File == "" {
		result.File = filepath.Join(loaded.Settings.BaselinesDir, result.Name+".yaml")
	}
	if _, err := os.Stat(result.File); !options.force && !errors.Is(err, fs.ErrNotExist) {
		return result, &exitError{code: exitUsage, cause: fmt.Errorf(
			"%s is there already; name another file by --out, or give --force to overwrite it", result.File,
		)}
	}
	return result, writeNew(result.File, result.Text, options.force)
}

func printAdopted(out io.Writer, result adopted) error {
	line(out, "%s: %s of %s/%s (%s)", result.File, result.SSMName, result.Account, result.Region, result.ID)
	for _, note := range result.Notes {
		line(out, "  note: %s", note)
	}
	line(out, "name it in a plan: baseline: %s; then `patchtide baseline diff %s`", result.Name, result.Name)
	return nil
}
