package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/screen"
)

// watchEvery is how often a watched wave is asked: often enough to feel live, seldom enough to be no load.
const watchEvery = time.Second

// watching is how a wave is to be watched.
type watching struct {
	untilHold bool          // end when a person is asked
	putsBack  bool          // it was told to roll back: how that ends is the exit code
	plain     bool          // no screen, also on a terminal
	every     time.Duration // between two looks; 0: watchEvery
}

func newWaveWatch() *cobra.Command {
	var how watching
	cmd := &cobra.Command{
		Use:   "watch WAVE",
		Short: "Watch a wave until it closes, and steer it",
		Example: `patchtide wave watch wave-web-20261122-082540
patchtide wave watch wave-web-20261122-082540 --until-hold`,
		Long: "Watch a wave until it closes. On a terminal it is a screen: progress of each stage and group, each " +
			"instance's step, what happened, and a key for each verb that the wave takes, which asks for a reason before " +
			"it sends it. Leaving the screen (q) touches nothing: the wave goes on. Anywhere else, and with --plain, it " +
			"is a line for each change. Temporal may be away meanwhile. Exit codes: 0 the wave ended well, or you left " +
			"the screen, 1 it ended badly, 3 with --until-hold a person is asked.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withTemporal(cmd, func(c client.Client) error { return watchWave(cmd, c, args[0], how) })
		},
	}
	printsJSON(cmd)
	cmd.Flags().BoolVar(&how.untilHold, "until-hold", false, "end with exit code 3 when a person is asked")
	cmd.Flags().BoolVar(&how.plain, "plain", false, "a line for each change, also on a terminal")
	return cmd
}

// watchWave shows a wave until it closes, or with untilHold until it waits for a person. A wave that does not answer
// the first time is an error; later it may be away.
func watchWave(cmd *cobra.Command, c client.Client, wave string, how watching) error {
	looks := &looker{temporal: c, wave: wave}
	var first screen.Look
	err := sayingUnserved(cmd.Context(), c, cmd.ErrOrStderr(), func(ctx context.Context) error {
		first = looks.first(ctx)
		return first.Err
	})
	if err != nil {
		return showUnanswered(cmd, c, wave, first.Err)
	}
	var last screen.Look
	if how.ends(first) {
		last = first
	} else if !how.plain && !asJSON(cmd) && isTerminal(cmd.InOrStdin()) && isTerminal(cmd.OutOrStdout()) {
		last, err = watchOnScreen(cmd, c, looks, first, how)
	} else {
		last, err = watchInLines(cmd, looks.look, first, how)
	}
	var end *terminatedError
	switch {
	case err != nil:
		return err
	case errors.As(last.Failure, &end):
		return showTerminated(cmd, last.Status, end)
	case last.Failure != nil:
		return last.Failure
	case !how.ends(last):
		return nil // the person left
	}
	if err := tellStatus(cmd, c, last.Status); err != nil {
		return err
	}
	if last.Status.Asks() && isTerminal(cmd.OutOrStdout()) { // what it asks may have left a small one by its top
		line(cmd.ErrOrStderr(), "%s", waitsForSomebody(last.Status))
	}
	return how.exit(last.Status)
}

// exit is the exit code of whoever watched until then.
func (w watching) exit(status patch.WaveStatus) error {
	if w.putsBack && status.State == patch.StateClosed && status.PutBackWell() {
		return nil
	}
	return exitOf(status)
}

// ends reports whether watching has come to its end.
func (w watching) ends(look screen.Look) bool {
	return look.Closed || w.untilHold && look.Status.Asks()
}

// whyAway is why there was no answer, in words for people.
func whyAway(err error) string {
	var late *serviceerror.DeadlineExceeded
	var silent *silentError
	if !errors.As(err, &silent) && (errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late)) {
		return "Temporal does not answer in time; `patchtide doctor` tells what is away"
	}
	return plain(err)
}

// watchInLines writes a line for each change, or nothing with --json.
func watchInLines(
	cmd *cobra.Command, again func(context.Context) screen.Look, look screen.Look, how watching,
) (screen.Look, error) {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	switch {
	case asJSON(cmd):
		out = io.Discard
	case how.plain:
		out = noTerminal{out}
	}
	picture := console.New(out, os.Environ(), time.Now).ByClock()
	defer picture.Done()
	picture.Say("Watching %s", look.Status.WaveID)
	ticker := time.NewTicker(cmp.Or(how.every, watchEvery))
	defer ticker.Stop()
	last, away := look, false
	for {
		switch {
		case look.Err == nil:
			if away {
				picture.Say("It answers again")
			}
			last, away = look, false
			picture.Update(console.View(look.Status, look.Details))
			if how.ends(look) {
				return look, nil
			}
		case !away && ctx.Err() == nil:
			away = true
			picture.Say(
				"No answer since %s: %s. This goes on", console.Clock(last.At), whyAway(look.Err),
			)
			for _, wait := range brief.WaitedFor(last.Status, look.Details.Waits, console.Clock) {
				picture.Say("It waits for %s", wait)
			}
		}
		select {
		case <-ctx.Done():
			return last, fmt.Errorf("stopped watching; %s", goesOn(last.Status))
		case <-ticker.C:
		}
		look = saysSlow(picture, away, func() screen.Look { return again(ctx) })
	}
}

// saysSlow looks, and says where that takes long that there is no answer yet; that it is away has been said.
func saysSlow(picture *console.Console, away bool, look func() screen.Look) screen.Look {
	if !away {
		slow := time.AfterFunc(unservedAfter, func() { picture.Say("Asked %s ago, and no answer yet", unservedAfter) })
		defer slow.Stop()
	}
	return look()
}

// goesOn says that a wave which is watched no more goes on.
func goesOn(status patch.WaveStatus) string {
	said := status.WaveID + " goes on without you (" + status.State.Words() + ")."
	if status.Asks() {
		said = waitsForSomebody(status)
	}
	return said + " Watch it again: `patchtide wave watch " + status.WaveID + "`"
}

// waitsForSomebody says that a wave does, and what is done if nobody answers.
func waitsForSomebody(status patch.WaveStatus) string {
	said := status.WaveID + " waits for somebody (" + status.State.Words() + "), whoever watches."
	if silence := brief.Of(status).Silence(console.Moment); silence != "" {
		said += " " + silence
	}
	return said
}

// noTerminal hides what a writer is, so that it gets lines.
type noTerminal struct{ io.Writer }

// isTerminal reports whether a stream is a terminal that can draw a screen.
func isTerminal(stream any) bool {
	file, ok := stream.(term.File)
	return ok && term.IsTerminal(file.Fd()) && os.Getenv("TERM") != "dumb"
}

// closedWith reports whether the wave's workflow has closed, and with which error.
func closedWith(ctx context.Context, c client.Client, wave string) (bool, error) {
	description, err := c.DescribeWorkflowExecution(ctx, wave, "")
	if err != nil {
		return false, err
	}
	if description.GetWorkflowExecutionInfo().GetCloseTime() == nil {
		return false, nil
	}
	err = c.GetWorkflow(ctx, wave, "").Get(ctx, nil)
	var terminated *temporal.TerminatedError
	switch {
	case errors.As(err, &terminated):
		at := description.GetWorkflowExecutionInfo().GetCloseTime().AsTime()
		who, why := terminatedBy(ctx, c, wave)
		return true, &terminatedError{wave, at, who, why, rolledBackSince(ctx, c, wave, at)}
	case err != nil:
		return true, fmt.Errorf("wave %s: %s", wave, plain(err))
	}
	return true, nil
}

// plain is an error as whoever types commands reads it.
func plain(err error) string { return console.Said(err) }

// showStatus writes a wave's status and makes its exit code.
func showStatus(cmd *cobra.Command, c client.Client, status patch.WaveStatus) error {
	if err := tellStatus(cmd, c, status); err != nil {
		return err
	}
	return exitOf(status)
}

// tellStatus writes a wave's status.
func tellStatus(cmd *cobra.Command, c client.Client, status patch.WaveStatus) error {
	var waits *patch.Waits
	if by := putBackBy(cmd.Context(), c, status); by != nil {
		waits = &patch.Waits{At: time.Now(), On: []patch.Wait{}, PutBack: by}
	}
	return show(cmd, standingOf(status, waits), printStanding)
}
