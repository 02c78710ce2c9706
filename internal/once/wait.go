package once

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// Pace is how a wait looks: how often, and how long reads may lag.
type Pace struct {
	Poll    patch.Duration
	ReadLag patch.Duration
}

// looksPerShortWait is how often a short wait looks: often enough that little of it is wasted, seldom enough that a
// wave of waits does not eat an account's request rate.
const looksPerShortWait = 8

// Waits is how waits go: what a worker, and the laboratory, set for all of them.
type Waits struct {
	// ShortWait is how long a wait that is known to be short may poll inside one attempt before it falls back to retries,
	// whose delays have a granularity of about a second. Zero never polls inside.
	ShortWait time.Duration
	Speed     aws.Speed
}

// Look is what every wait is made of. It calls once; when that says done, or fails, Look ends with it. Else it looks
// again inside this attempt for at most ShortWait, and then ends as NotReady with what is waited for, to be retried
// after pace.Poll. waitingFor is that error's message, alone.
func (w Waits) Look(
	ctx context.Context, pace Pace, once func(context.Context) (done bool, waitingFor string, err error),
) error {
	return w.LookKeeping(ctx, pace, nil, once)
}

// LookKeeping is Look for a wait that keeps something for its next attempt: kept is asked for it before each heartbeat,
// since a heartbeat without details would wipe the details of the one before. What was waited for last is kept behind
// it: see LastSeen.
func (w Waits) LookKeeping(
	ctx context.Context, pace Pace, kept func() any, once func(context.Context) (bool, string, error),
) error {
	until := time.Now().Add(w.patience(ctx))
	pause := min(pace.Poll.D(), w.ShortWait/looksPerShortWait)
	seen := LastSeen(ctx)
	keep := func(waitingFor string) {
		seen = waitingFor
		var keeps any
		if kept != nil {
			keeps = kept()
		}
		// The heartbeat is how a cancel reaches a wait inside an attempt.
		activity.RecordHeartbeat(ctx, keeps, seen)
	}
	for {
		done, waitingFor, err := once(ctx)
		if said := waitsFor(err); said != "" {
			keep(said)
		}
		if err != nil {
			return stillWaiting(err, seen, pace)
		}
		if done {
			return nil
		}
		keep(waitingFor)
		if pause <= 0 || time.Now().Add(pause).After(until) {
			return NotReady(pace.Poll.D(), "%s", waitingFor)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// patience is how long this attempt may look again: ShortWait, but never so long that the attempt's own time-out would
// end it, since a timed-out attempt tells nobody what it waited for.
func (w Waits) patience(ctx context.Context) time.Duration {
	patience := w.ShortWait
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)/2)
	}
	return patience
}
