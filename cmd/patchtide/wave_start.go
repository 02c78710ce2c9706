package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/pending"
)

// starting is how a wave, or the roll back of one, is to be started.
type starting struct {
	watch  bool // until it closes or is on hold
	noWait bool // for the verdict of its preflight
}

// flags adds what says so.
func (s *starting) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.watch, "watch", false, "watch it until it closes or is on hold")
	cmd.Flags().BoolVar(&s.noWait, "no-wait", false, "do not wait until its preflight has let it in or refused it")
	cmd.MarkFlagsMutuallyExclusive("watch", "no-wait")
}

// started is a wave, or the roll back of one, that has just begun.
type started struct {
	WaveID   string          `json:"wave_id"`
	RunID    string          `json:"run_id"`
	PutsBack string          `json:"puts_back,omitempty"` // the closed wave
	State    patch.WaveState `json:"state,omitempty"`     // where it stood then; "": that was not waited for
	Outcome  patch.Outcome   `json:"outcome,omitempty"`   // where it has closed already
	Reason   string          `json:"reason,omitempty"`    // likewise
	Code     string          `json:"code,omitempty"`      // of one that was refused: see docs/refusals.md
}

func printStarted(out io.Writer, wave started) error {
	said := wave.WaveID
	if wave.PutsBack != "" {
		said = wave.WaveID + " puts " + wave.PutsBack + " back, which runs no more."
	}
	line(out, "%s", said)
	switch {
	case wave.State == patch.StateClosed:
		why := ""
		if wave.Reason != "" {
			why = ": " + wave.Outcome.Because(wave.Reason)
		}
		line(out, "It has closed: %s%s. More: patchtide wave show %s", wave.Outcome.Words(), why, wave.WaveID)
		return nil
	case decided(wave.State):
		line(out, "It is %s.", wave.State.Phrase())
	case wave.State != "":
		line(out, "Its preflight goes on.")
	}
	line(out, "Watch it: patchtide wave watch %s", wave.WaveID)
	return nil
}

// start starts a wave by begin, and tells what its preflight says of it, unless nobody wants to wait for that. One that
// is refused is an error, with its code and why. putsBack is the wave that it puts back; "" for any other.
func start(
	cmd *cobra.Command, c client.Client, how starting, putsBack string, begin func() (client.WorkflowRun, error),
) error {
	var run client.WorkflowRun
	wave := started{PutsBack: putsBack}
	err := served(cmd, c, func() (err error) {
		if run, err = begin(); err != nil {
			return err
		}
		wave.WaveID, wave.RunID = run.GetID(), run.GetRunID()
		if how.noWait {
			return nil
		}
		wave.State, err = verdict{cmd, c, run}.await(how.watch)
		return err
	})
	switch {
	case errors.Is(err, errNoWorker) && run != nil:
		return fmt.Errorf("%w. %s waits in Temporal, and begins once one runs", errNoWorker, run.GetID())
	case err != nil:
		var refused *refusedError
		if asJSON(cmd) && errors.As(err, &refused) {
			wave.State, wave.Outcome = patch.StateClosed, refused.outcome
			wave.Code, wave.Reason = refused.code, refused.reason
			return errors.Join(err, printJSON(cmd.OutOrStdout(), wave))
		}
		return err
	case how.watch:
		return watchWave(cmd, c, wave.WaveID, watching{untilHold: true})
	case how.noWait:
		sayUnserved(cmd.Context(), c, cmd.ErrOrStderr())
	}
	if wave.State != patch.StateClosed {
		return show(cmd, wave, printStarted)
	}
	status, err := askWave(cmd.Context(), c, wave.WaveID)
	if err != nil {
		return err
	}
	wave.Outcome, wave.Reason = status.Outcome, status.Reason
	if err := show(cmd, wave, printStarted); err != nil {
		return err
	}
	return exitOf(*status)
}

// How often a wave that was just started is asked for the verdict of its preflight, how long one question may take,
// and how long it is waited for: the preflight of a large fleet scans it, which takes minutes.
const (
	verdictEvery = 250 * time.Millisecond
	verdictLook  = 2 * time.Second
	verdictWait  = 30 * time.Second
)

// verdict is what a preflight says of a wave that was just started.
type verdict struct {
	cmd *cobra.Command
	c   client.Client
	run client.WorkflowRun
}

// await waits until the wave's preflight has let it in, and tells its state then; a refusal is an error. With anyState
// it is enough that it answers. While it waits it says for what, once. A preflight that takes long is not waited for to
// its end.
func (v verdict) await(anyState bool) (patch.WaveState, error) {
	ctx := v.cmd.Context()
	ended := make(chan error, 1)
	go func() { ended <- v.run.Get(ctx, nil) }()
	said := false
	for begun := time.Now(); ; {
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				return "", v.unheard()
			}
			return patch.StateClosed, v.refused(err)
		case <-time.After(verdictEvery):
		}
		asking, stop := context.WithTimeout(ctx, verdictLook)
		status, err := askWave(asking, v.c, v.run.GetID())
		stop()
		waited := time.Since(begun)
		switch {
		case ctx.Err() != nil:
			return "", v.unheard()
		case err != nil: // no worker has answered yet, of which whoever waits for one tells
		case anyState, decided(status.State), waited >= verdictWait:
			return status.State, nil
		case !said && waited >= unservedAfter:
			said = true
			v.say(*status)
		}
	}
}

// decided reports whether a wave in the state has come through its preflight. One that has closed tells how by itself.
func decided(state patch.WaveState) bool {
	switch state {
	case patch.StateResolving, patch.StatePreflight, patch.StateClosed, "":
		return false
	}
	return true
}

// say tells what is waited for.
func (v verdict) say(status patch.WaveStatus) {
	out := v.cmd.ErrOrStderr()
	line(out, "%s is in its preflight, for whose verdict this waits until %s; Ctrl-C leaves it", v.run.GetID(),
		console.Clock(time.Now().Add(verdictWait-unservedAfter)))
	if waits, err := pending.Read(v.cmd.Context(), v.c, v.run.GetID(), status.AtWork()...); err == nil {
		printWaits(out, waits)
	}
}

// unheard is the error of whoever waits no longer.
func (v verdict) unheard() error {
	return fmt.Errorf("nobody waits for the verdict on %s any longer; it goes on. See it: patchtide wave show %s",
		v.run.GetID(), v.run.GetID())
}

// refused is why a wave has closed already, with its code; nil where it has done all there was to do.
func (v verdict) refused(err error) error {
	var typed *temporal.ApplicationError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &typed):
		return fmt.Errorf("%s: %w", v.run.GetID(), err)
	}
	// What the Temporal UI shows as the right input is none of a command's.
	message, _, _ := strings.Cut(typed.Message(), names.RightInput)
	refused := &refusedError{outcome: patch.Failed, code: typed.Type(), reason: message}
	how := "failed before it began"
	if patch.IsVerdict(typed.Type()) {
		refused.outcome, how = patch.Refused, "was refused"
	}
	refused.says = fmt.Sprintf("%s %s: %s: %s", v.run.GetID(), how, typed.Type(), message)
	if typed.Type() == "" || strings.HasPrefix(message, typed.Type()+":") {
		refused.says = fmt.Sprintf("%s %s: %s", v.run.GetID(), how, message)
	}
	return refused
}

// refusedError is of a wave that its preflight did not let begin.
type refusedError struct {
	outcome            patch.Outcome
	code, reason, says string
}

func (e *refusedError) Error() string { return e.says }
