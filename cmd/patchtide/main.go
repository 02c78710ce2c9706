// Command patchtide is the product: the worker that patches, and the operators' command line. It talks to any Temporal
// by Temporal's own profiles and to any AWS by the SDK's default chain.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // windows have time zones, and a container may have none installed
)

// Exit codes, the same for every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or configuration
	exitOnHold = 3 // a person is asked for a decision
	exitStale  = 5 // a wave ended well, but for an image that it was to renew
	exitGaps   = 4 // a wave, or a scan, ended well for all that it tried, and did not reach every member
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// exitError carries an exit code; its cause may be nil when everything has been said already.
type exitError struct {
	code  int
	cause error
}

func (e *exitError) Error() string {
	if e.cause == nil {
		return ""
	}
	return e.cause.Error()
}

func (e *exitError) Unwrap() error { return e.cause }

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{code: exitFailed, cause: err}
	}
	if exit.cause != nil {
		lines(stderr, "patchtide: "+exit.cause.Error())
	}
	return exit.code
}
