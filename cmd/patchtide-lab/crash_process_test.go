package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/patchtide/patchtide/config"
)

// asCommand makes this test binary be the laboratory: what is killed is a process of its own, of the same code, without
// linking the server once more. PATCHTIDE_LAB names a built binary to use instead.
const asCommand = "PATCHTIDE_LAB_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // held open by the test: one that is stopped hard takes its processes along
			os.Exit(exitFailed)
		}()
		if atOnce, soaks := os.Getenv(severalAtOnce), os.Getenv(stagingSoaks); atOnce != "" || soaks != "" {
			example := config.Example()
			if atOnce != "" {
				example = bytes.Replace(example, []byte("max_unavailable: 1"), []byte("max_unavailable: "+atOnce), 1)
			}
			if soaks != "" {
				example = bytes.Replace(example, []byte("        service: web\n"),
					[]byte("        service: web\n        after: "+soaks+"\n"), 1)
			}
			os.Exit(commandWith(example))
		}
		main()
		return
	}
	os.Exit(m.Run())
}

// severalAtOnce is how many of production's instances the worker's plan lets be out at once; unset: one, as in the
// example.
const severalAtOnce = "PATCHTIDE_LAB_TEST_AT_ONCE"

// stagingSoaks is for how long staging soaks before production, by AWS's clock; unset: not at all.
const stagingSoaks = "PATCHTIDE_LAB_TEST_SOAKS"

// commandWith is main with another configuration for the worker.
func commandWith(configuration []byte) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return runWith(ctx, func(ctx context.Context, in workerInput) (func(), error) {
		return startWorkerOf(ctx, in, configuration)
	}, os.Args[1:], os.Stdout, os.Stderr)
}

// upBudget bounds a process's start, a demo's with its wave, on a machine that is busy with everything else.
const upBudget = 3 * time.Minute

// process is one run of the laboratory's binary.
type process struct {
	cmd    *exec.Cmd
	stdout *watched
	stderr *watched
	ended  chan struct{} // closed when it has ended
}

// launch starts the laboratory's binary and waits until its output says `until`. extra are more variables for it,
// NAME=value, which only this test binary heeds.
func launch(t *testing.T, until string, extra []string, args ...string) (*process, error) {
	binary := os.Getenv("PATCHTIDE_LAB")
	if binary == "" || len(extra) > 0 { // a built one knows no configuration but the example's
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		binary = self
	}
	return launchBinary(t, binary, until, extra, args...)
}

// launchBinary is launch for any binary.
func launchBinary(t *testing.T, binary, until string, extra []string, args ...string) (*process, error) {
	cmd := exec.Command(binary, args...)
	cmd.Env = append(append(os.Environ(), asCommand+"=1"), extra...)
	held, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, stderr: &watched{until: until, seen: make(chan struct{})}, ended: make(chan struct{})}
	p.stdout = &watched{until: until, seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // how it ended is read from its state
		_ = held.Close()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	select {
	case <-p.stdout.seen:
		return p, nil
	case <-p.stderr.seen:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("%v ended before it was up: %s: %s", args, cmd.ProcessState, p.stderr)
	case <-time.After(upBudget):
		p.kill()
		return nil, fmt.Errorf("%v was not up within %s: %s", args, upBudget, p.stderr)
	}
}

// signal sends at once and does not wait.
func (p *process) signal(signal syscall.Signal) error { return p.cmd.Process.Signal(signal) }

// kill ends it as a crash does and waits until it is gone.
func (p *process) kill() {
	_ = p.signal(syscall.SIGKILL) // it may have ended
	<-p.ended
}

// stop asks it to end, as a deploy does.
func (p *process) stop() error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(upBudget):
		p.kill()
		return errors.New("it did not end when it was told to")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != exitDone {
		return fmt.Errorf("it ended with %d: %s", code, p.stderr)
	}
	return nil
}
