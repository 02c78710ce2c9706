package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/pending"
	"github.com/patchtide/patchtide/internal/screen"
)

// lookWait is how long one look may take: a worker answers in far less, and who watches wants to know that nobody does.
const lookWait = 10 * time.Second

// looker looks at one wave again and again, and keeps what its groups said last.
type looker struct {
	temporal client.Client
	wave     string
	known    console.Details
	waitsAt  time.Time // when what it waits for was read last
}

// waitsEvery is how often what a wave waits for is read: of many instances it takes as many questions.
const waitsEvery = 5 * time.Second

// first looks until the wave answers, for as long as patience lasts: a worker may be busy, or about to come, and that
// is no reason to leave a wave that was just started. A Temporal that is away is told at once.
func (l *looker) first(ctx context.Context) (look screen.Look) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	// Its error is the look's, which shows it.
	_ = untilAnswered(ctx, func() error {
		look = l.look(ctx)
		return look.Err
	})
	return look
}

// look asks the wave, its groups and their instances, and Temporal whether the wave has closed.
func (l *looker) look(ctx context.Context) screen.Look {
	watched := ctx
	ctx, stop := context.WithTimeout(watched, lookWait)
	defer stop()
	look := screen.Look{At: time.Now()}
	status, err := askWave(ctx, l.temporal, l.wave)
	if err != nil {
		look.Err = l.whoIsAway(watched, err)
		if waits, err := pending.Read(watched, l.temporal, l.wave); err == nil { // no worker need answer for that
			look.Details.Waits = waits
		}
		return look
	}
	look.Status = *status
	l.known = console.Ask(ctx, l.temporal, *status, l.known)
	if now := time.Now(); now.Sub(l.waitsAt) >= waitsEvery {
		if waits, err := readWaits(ctx, l.temporal, *status); err == nil {
			l.known.Waits, l.waitsAt = waits, now
		}
	}
	look.Details = l.known
	closed, err := closedWith(ctx, l.temporal, l.wave)
	look.Closed = closed
	if closed && err == nil && status.State != patch.StateClosed {
		// It closed between the two questions: how it ended decides the exit code.
		if status, err = askWave(ctx, l.temporal, l.wave); err != nil {
			return screen.Look{At: look.At, Err: l.whoIsAway(watched, err)}
		}
		look.Status = *status
	}
	switch {
	case !closed:
		look.Err = err
	case status.State != patch.StateClosed:
		// It closed before it had a plan or a lock: the error says why, and nothing was touched.
		look.Failure = err
	}
	return look
}

// whoIsAway tells a Temporal that does not answer from one whose workers do not.
func (l *looker) whoIsAway(ctx context.Context, err error) error {
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return err
	}
	asking, stop := context.WithTimeout(ctx, lookWait/2)
	defer stop()
	if _, described := l.temporal.DescribeWorkflowExecution(asking, l.wave, ""); described == nil {
		//nolint:staticcheck // a name
		return fmt.Errorf("Temporal answers and no worker does; the wave stands until one runs: patchtide worker (%w)", err)
	}
	return err
}
