package main

import (
	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
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
		newLinks(),
		newVersion(),
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentFlags().String("config", config.DefaultFile, "the configuration file")
	config.AddFlags(root.PersistentFlags())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err) })
	wrapArgs(root)
	completes(root)
	return root
}

// usage is a command line that makes no sense.
func usage(cmd *cobra.Command, cause error) error {
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
			if err := check(cmd, args); err != nil {
				return usage(cmd, err)
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
