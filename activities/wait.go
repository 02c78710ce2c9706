package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

// looksPerShortWait is how often a short wait looks: often enough that little of it is wasted, seldom enough that a wave of
// waits does not eat an account's request rate.
const looksPerShortWait = 8

// look is what every wait is made of. It calls once; when that says done, or fails, look ends with it. Else it looks again
// inside this attempt for at most a.ShortWait, and then ends as NotReady with what is waited for, to be retried after
// pace.Poll. waitingFor is that error's message, alone.
func (a *AWS) look(ctx context.Context, pace Pace, once func(context.Context) (done bool, waitingFor string, err error)) error {
	return a.lookKeeping(ctx, pace, nil, once)
}

// lookKeeping is look for a wait that keeps something for its next attempt: kept is asked for it before each heartbeat,
// since a heartbeat without details would wipe the details of the one before.
func (a *AWS) lookKeeping(ctx context.Context, pace Pace, kept func() any, once func(context.Context) (bool, string, error)) error {
	until := time.Now().Add(a.patience(ctx))
	pause := min(pace.Poll.D(), a.ShortWait/looksPerShortWait)
	for {
		done, waitingFor, err := once(ctx)
		if done || err != nil {
			return err
		}
		// The heartbeat is how a cancel reaches a wait inside an attempt.
		if kept != nil {
			activity.RecordHeartbeat(ctx, kept())
		} else {
			activity.RecordHeartbeat(ctx)
		}
		if pause <= 0 || time.Now().Add(pause).After(until) {
			return notReady(pace.Poll.D(), "%s", waitingFor)
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

// patience is how long this attempt may look again: ShortWait, but never so long that the attempt's own time-out would end
// it, since a timed-out attempt tells nobody what it waited for.
func (a *AWS) patience(ctx context.Context) time.Duration {
	patience := a.ShortWait
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)/2)
	}
	return patience
}
