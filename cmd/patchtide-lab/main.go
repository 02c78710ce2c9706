// Command patchtide-lab is the laboratory: a Temporal server, the Temporal UI, a simulated AWS and Patchtide's worker
// in one process, to try Patchtide without an account, a cluster or a container.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // simulated schedules have time zones, and a container may have none installed

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/usage"
)

// Exit codes, the same as patchtide's.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes one command line and returns the exit code. It returns soon after ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runWith(ctx, startWorker, args, stdout, stderr)
}

// runWith is run with another worker.
func runWith(ctx context.Context, start workerStarter, args []string, stdout, stderr io.Writer) int {
	root := newRoot(start)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(stderr, "patchtide-lab:", err)
	var wrong *usageError
	if errors.As(err, &wrong) {
		fmt.Fprintf(stderr, "See `%s --help`.\n", wrong.command)
		return exitUsage
	}
	return exitFailed
}

// usageError is a command line that makes no sense.
type usageError struct {
	command string
	cause   error
}

func (e *usageError) Error() string { return e.cause.Error() }
func (e *usageError) Unwrap() error { return e.cause }

// newRoot builds the commands; start is the worker that demo and up run.
func newRoot(start workerStarter) *cobra.Command {
	root := &cobra.Command{
		Use:   "patchtide-lab",
		Short: "Try Patchtide on this machine: Temporal, its UI and a simulated AWS in one process",
		Long: "Try Patchtide on this machine: a Temporal server, its UI, a simulated AWS and a worker in one process.\n" +
			"It never talks to real AWS, whatever this shell is logged in to.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usage.Command,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(
		newDemo(start), newUp(start), newRecord(), newAWS(), newTemporal(), newConfig(), newWorker(start), newVersion(),
	)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{command: cmd.CommandPath(), cause: usage.Flag(cmd, err)}
	})
	for _, cmd := range append(root.Commands(), root) {
		wrapArgs(cmd)
	}
	return root
}

// wrapArgs makes a wrong number of arguments, or an unknown command, a usage error.
func wrapArgs(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		check = cobra.NoArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := usage.Checked(check)(cmd, args); err != nil {
			return &usageError{command: cmd.CommandPath(), cause: err}
		}
		return nil
	}
}
