package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/pending"
	"github.com/patchtide/patchtide/internal/pollers"
)

// A command that only a worker can answer says after the first that none runs, and gives up after the second.
const (
	unservedAfter = 3 * time.Second
	patience      = 20 * time.Second
)

// What it says: by what Temporal tells of the queue.
var (
	noWorker = fmt.Sprintf("no worker takes what is in the queue %s; this waits %s for one. Start it on its machine: "+
		"patchtide worker", names.TaskQueue, patience)
	// One that was killed is listed for a while yet, and one that replays a long wave takes nothing new meanwhile.
	quietWorker = "no worker has answered yet: %s polled last %s ago, and is busy, or has ended; this waits " +
		patience.String() + " for an answer. Start another on its machine: patchtide worker"
	noTemporal = fmt.Sprintf("Temporal has not answered yet; waves stand still without it. This waits %s for it",
		patience)
	noConnection = fmt.Sprintf("Temporal has not answered yet; waves stand still without it. This waits %s for a "+
		"connection", connectWait)
)

// connectWait is how long a connection to Temporal may take.
const connectWait = 5 * time.Second

// errNoWorker is why it gave up.
var errNoWorker = fmt.Errorf("no worker has answered by the queue %s for %s; start one: patchtide worker",
	names.TaskQueue, patience)

// errNoTemporal is why it gave up where no worker could be asked for.
var errNoTemporal = fmt.Errorf( //nolint:staticcheck // a name
	"Temporal has not answered for %s; waves stand still without it, and go on when it is back", patience)

// withWorker is withTemporal for a command that only a worker can answer: see served.
func withWorker(cmd *cobra.Command, do func(c client.Client) error) error {
	return withTemporal(cmd, func(c client.Client) error {
		return served(cmd, c, func() error { return do(c) })
	})
}

// served does something that a worker has to answer: it waits for one, not for ever and not in silence. Meanwhile the
// command's context is one that ends when it gives up.
func served(cmd *cobra.Command, q pollers.Queues, do func() error) error {
	whole := cmd.Context()
	defer cmd.SetContext(whole)
	return sayingUnserved(whole, q, cmd.ErrOrStderr(), func(ctx context.Context) error {
		cmd.SetContext(ctx)
		return do()
	})
}

// sayingUnserved does something that a worker has to answer, says once, while it waits, that none does, and gives up
// where none comes.
func sayingUnserved(ctx context.Context, q pollers.Queues, out io.Writer, do func(context.Context) error) error {
	waiting, giveUp := context.WithCancelCause(ctx)
	begun := time.Now()
	before := lastPoll(ctx, q)
	var watch sync.WaitGroup
	watch.Go(func() {
		said := false
		for next := begun.Add(unservedAfter); ; next = time.Now().Add(unservedAfter) {
			wait := time.Until(next)
			if left := patience - time.Since(begun); left > 0 {
				wait = min(wait, left)
			}
			select {
			case <-waiting.Done():
				return
			case <-time.After(wait):
			}
			silence := silenceIn(waiting, q, before)
			switch {
			case waiting.Err() != nil:
				return
			case silence == nil:
				if said {
					return // one has come
				}
			case !said:
				said = true
				line(out, "%s", silence.says)
			case time.Since(begun) >= patience:
				giveUp(silence.gaveUp)
				return
			}
		}
	})
	err := do(waiting)
	gaveUp := context.Cause(waiting)
	giveUp(nil)
	watch.Wait()
	if err != nil && ctx.Err() == nil && gaveUp != nil {
		return fmt.Errorf("%w; %w", gaveUp, err)
	}
	return err
}

// awaitWave asks a wave for its status until it answers, for as long as patience lasts: by itself Temporal gives a
// question up sooner where no worker takes it.
func awaitWave(ctx context.Context, c console.Asker, wave string) (*patch.WaveStatus, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	var status *patch.WaveStatus
	err := untilAnswered(ctx, func() (err error) {
		status, err = askWave(ctx, c, wave)
		return err
	})
	return status, err
}

// silentError is of a question that no worker took: one that comes may.
type silentError struct{ error }

func (e *silentError) Unwrap() error { return e.error }

// silenceOf is the error of a question, as a silence where it is one.
func silenceOf(asked, said error) error {
	var late *serviceerror.DeadlineExceeded
	var unpolled *serviceerror.FailedPrecondition
	var unbegun *serviceerror.WorkflowNotReady
	if errors.Is(asked, context.DeadlineExceeded) || errors.As(asked, &late) || errors.As(asked, &unpolled) ||
		errors.As(asked, &unbegun) {
		return &silentError{said}
	}
	return said
}

// untilAnswered asks again while no worker answers. Whatever else Temporal says is told at once.
func untilAnswered(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		var silent *silentError
		if !errors.As(err, &silent) || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(watchEvery):
		case <-ctx.Done():
			return err
		}
	}
}

// sayUnserved says that no worker runs, where that is so.
func sayUnserved(ctx context.Context, q pollers.Queues, out io.Writer) {
	if silence := silenceIn(ctx, q, time.Time{}); silence != nil {
		line(out, "%s", silence.says)
	}
}

// silence is why nobody has answered.
type silence struct {
	says   string // while it is waited for
	gaveUp error
}

// silenceIn tells why nobody answers; nil where a worker runs. before is when one had polled last before something was
// sent: a worker that was killed counts among the pollers for minutes, but only one that runs takes what was sent, and
// polls anew. Where Temporal refuses to tell, nobody can say so: what waits for it hears that by itself.
func silenceIn(ctx context.Context, q pollers.Queues, before time.Time) *silence {
	asking, stop := context.WithTimeout(ctx, unservedAfter)
	defer stop()
	asked, err := q.DescribeTaskQueue(asking, names.TaskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		if isAway(err) {
			return &silence{noTemporal, errNoTemporal}
		}
		return nil
	}
	now := time.Now()
	polling := pollers.Of(asked, now)
	switch {
	case len(polling) == 0:
		return &silence{noWorker, errNoWorker}
	case !polling[0].Last.After(before):
		ago := max(now.Sub(polling[0].Last), 0).Round(time.Second)
		return &silence{fmt.Sprintf(quietWorker, polling[0].Process(), ago), errNoWorker}
	}
	return nil
}

// isAway reports whether the error of a question is that Temporal did not answer it.
func isAway(err error) bool {
	var away *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &away) || errors.As(err, &late)
}

// sayingAfter writes the text to out where something takes long.
func sayingAfter(out io.Writer, text string, do func()) {
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-done:
		case <-time.After(unservedAfter):
			line(out, "%s", text)
		}
	})
	do()
	close(done)
	watch.Wait()
}

// lastPoll is when a worker last polled, by Temporal's clock; zero: nobody can say.
func lastPoll(ctx context.Context, q pollers.Queues) time.Time {
	ctx, stop := context.WithTimeout(ctx, unservedAfter)
	defer stop()
	asked, err := q.DescribeTaskQueue(ctx, names.TaskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return time.Time{}
	}
	return newestPoll(asked)
}

func newestPoll(asked *workflowservice.DescribeTaskQueueResponse) (newest time.Time) {
	for _, poller := range asked.GetPollers() {
		if at := poller.GetLastAccessTime().AsTime(); at.After(newest) {
			newest = at
		}
	}
	return newest
}

// callingOff is how long a workflow may take to hear that nobody waits for it.
const callingOff = 5 * time.Second

// awaitResult waits for a workflow's result. Where a person stops waiting, or no worker comes, a workflow that only
// looks is cancelled, and of any other it is said that it goes on.
func awaitResult(cmd *cobra.Command, c client.Client, run client.WorkflowRun, onlyLooks bool, result any) error {
	stop := sayingStill(cmd.Context(), c, cmd.ErrOrStderr(), run.GetID())
	err := run.Get(cmd.Context(), result)
	stop()
	switch {
	case err == nil || cmd.Context().Err() == nil:
		return err
	case !onlyLooks:
		return fmt.Errorf("nobody waits for %s any longer; it goes on in Temporal, or begins once a worker runs", run.GetID())
	}
	ctx, late := context.WithTimeout(context.WithoutCancel(cmd.Context()), callingOff)
	defer late()
	if err := c.CancelWorkflow(ctx, run.GetID(), run.GetRunID()); err != nil {
		return fmt.Errorf("%s could not be called off, and looks once a worker runs: %w", run.GetID(), err)
	}
	return fmt.Errorf("%s was called off", run.GetID())
}

// stillEvery is how often something long says that it goes on, after it has said so a first time.
const stillEvery = 15 * time.Second

// mostStill is of how many things that are waited for such a line tells.
const mostStill = 3

// sayingStill says again and again that a workflow goes on, and what it waits for as Temporal tells it, until what it
// returns is called.
func sayingStill(ctx context.Context, temporal pending.Describer, out io.Writer, workflowID string) (stop func()) {
	done := make(chan struct{})
	var watch sync.WaitGroup
	begun := time.Now()
	watch.Go(func() {
		for next := unservedAfter; ; next = stillEvery {
			select {
			case <-done:
				return
			case <-time.After(next):
				sayStill(ctx, temporal, out, workflowID, begun)
			}
		}
	})
	return func() {
		close(done)
		watch.Wait()
	}
}

// sayStill says what a workflow waits for; nothing where Temporal does not answer, or no worker has begun it, which
// others tell: see sayingUnserved.
func sayStill(ctx context.Context, temporal pending.Describer, out io.Writer, workflowID string, begun time.Time) {
	waits, err := pending.Read(ctx, temporal, workflowID)
	if err != nil {
		return
	}
	goesOn := fmt.Sprintf("%s goes on, for %s by now", workflowID, time.Since(begun).Round(time.Second))
	said := brief.WaitedFor(patch.WaveStatus{}, waits, console.Clock)
	if len(said) == 0 {
		if time.Since(begun) >= stillEvery {
			line(out, "%s", goesOn)
		}
		return
	}
	line(out, "%s; it waits for:", goesOn)
	for i, wait := range said {
		if i == mostStill {
			line(out, "  and for more")
			return
		}
		if wait.Who == brief.TheWave {
			wait.Who = "" // it is none
		}
		line(out, "  %s", wait)
	}
}
