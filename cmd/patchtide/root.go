package main

import (
	"cmp"
	"os"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/usage"
)

// newRoot assembles the command line.
func newRoot() *cobra.Command {
	root := parent(
		"patchtide",
		"Patch fleets of EC2 instances without taking them down",
		newWorker(),
		newInit(),
		newCheck(),
		newDoctor(),
		newIAM(),
		newBaseline(),
		newTag(),
		newScan(),
		newPlan(),
		newWave(),
		newEvidence(),
		newReconcile(),
		newQuarantine(),
		newSchedule(),
		newNotify(),
		newFreeze(),
		newUnfreeze(),
		newPatch(),
		newLinks(),
		newVersion(),
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Version = version()
	root.SetVersionTemplate("{{.DisplayName}} {{.Version}}\n")
	root.SetHelpFunc(help)
	root.Example = "patchtide doctor\npatchtide plan web\npatchtide wave start web --reason \"monthly patches\" --watch"
	root.PersistentFlags().Bool("utc", false, "times in UTC, as they are anyway where no terminal reads them")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return chooseZone(cmd) }
	root.PersistentFlags().String(
		"config", cmp.Or(os.Getenv(config.FileVariable), config.DefaultFile),
		"the configuration file ["+config.FileVariable+"]",
	)
	config.AddFlags(root.PersistentFlags())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd.HasSubCommands() { // a flag behind a misspelt command is not the mistake
			if unknown := usage.Command(cmd, cmd.Flags().Args()); unknown != nil {
				return wrongUsage(cmd, unknown)
			}
		}
		return wrongUsage(cmd, usage.Flag(cmd, err))
	})
	wrapArgs(root)
	completes(root)
	return root
}

// chooseZone lets times be shown in the zone of who sits at the terminal; elsewhere, as in a ticket, many read them.
func chooseZone(cmd *cobra.Command) error {
	utc, err := cmd.Flags().GetBool("utc")
	if err != nil {
		return err
	}
	console.TellUTC(utc || !console.PageOf(cmd.OutOrStdout()).Terminal)
	return nil
}

// wrongUsage is a command line that makes no sense.
func wrongUsage(cmd *cobra.Command, cause error) error {
	return &exitError{code: exitUsage, cause: &usageError{cause, cmd.CommandPath()}}
}

type usageError struct {
	cause   error
	command string
}

func (e *usageError) Error() string { return e.cause.Error() + "\nSee `" + e.command + " --help`." }
func (e *usageError) Unwrap() error { return e.cause }

// wrapArgs makes a wrong number of arguments, or an unknown command, a usage error.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := usage.Checked(check)(cmd, args); err != nil {
				return wrongUsage(cmd, err)
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		wrapArgs(child)
	}
}

// loadConfig reads the file that --config names; a mistake in it is exit code 2.
func loadConfig(cmd *cobra.Command) (*config.Config, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	loaded, err := config.Load(path, cmd.Flags())
	if err != nil {
		return nil, &exitError{code: exitUsage, cause: err}
	}
	return loaded, nil
}

// loadWorkerConfig is loadConfig for what needs all that a worker needs.
func loadWorkerConfig(cmd *cobra.Command) (*config.Config, error) {
	loaded, err := loadConfig(cmd)
	if err != nil {
		return nil, err
	}
	if err := loaded.CheckWorker(); err != nil {
		return nil, &exitError{code: exitUsage, cause: err}
	}
	return loaded, nil
}
