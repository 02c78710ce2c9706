package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
)

// passing are the types of errors that pass by themselves: the activity is tried again.
var passing = []string{
	activities.ErrThrottled, activities.ErrAWS, activities.ErrEvidence, activities.ErrLockUnknown,
	activities.ErrNotificationPending,
}

// verdict is what an attempt of an activity came to.
type verdict int

const (
	passed   verdict = iota // it succeeded
	waits                   // its condition does not hold yet; it is asked again
	cut                     // it was cancelled, or came too late to be heard
	troubled                // what passes by itself: a throttle, a lost connection
	refused                 // what only somebody can mend, and is tried again all the same, as an undo is
	ended                   // no retry will follow
)

// judge is the verdict on an attempt. done is the error of its context, nil while it had time.
func judge(err, done error, final []string) verdict {
	var typed *temporal.ApplicationError
	isTyped := errors.As(err, &typed)
	switch {
	case err == nil:
		return passed
	case isTyped && typed.Category() == temporal.ApplicationErrorCategoryBenign:
		return waits
	case done != nil || errors.Is(err, context.Canceled):
		return cut
	case isTyped && (typed.NonRetryable() || slices.Contains(final, typed.Type())):
		return ended
	case !isTyped || slices.Contains(passing, typed.Type()):
		return troubled
	}
	return refused
}

// patience is how many times in a row an activity may meet with trouble before that is a warning; with the pauses
// between them that is some three minutes. It is doubled after each, so that an hour of trouble is a few lines.
const patience = 8

// told tells in the log how activities fare, once and with a count: what is tried again is no line at INFO until it is
// over, unless it goes on for long.
type told struct {
	interceptor.WorkerInterceptorBase
	log *slog.Logger

	mu      sync.Mutex
	trouble map[[3]string]*trouble // by workflow, run and activity
}

// trouble is what an activity under way has met with.
type trouble struct {
	inARow, warnAt int // and how many of them are the next warning
	inAll, tellAt  int // and how many of them are told next, once it has passed
	since, last    time.Time
}

// forgotten is when trouble is dropped of which nothing was heard: another worker has the activity, or nobody. No pause
// between two attempts is longer.
const forgotten = time.Hour

// Attempts is what a worker needs to tell in its log how its activities fare.
func Attempts(to *slog.Logger) interceptor.WorkerInterceptor {
	return &told{log: to, trouble: map[[3]string]*trouble{}}
}

// InterceptActivity looks at each attempt.
func (t *told) InterceptActivity(
	_ context.Context, next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	return &attempt{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, all: t}
}

type attempt struct {
	interceptor.ActivityInboundInterceptorBase
	all *told
}

func (a *attempt) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	result, err := a.Next.ExecuteActivity(ctx, in)
	info := activity.GetInfo(ctx)
	var final []string
	if info.RetryPolicy != nil {
		final = info.RetryPolicy.NonRetryableErrorTypes
	}
	a.all.tell(info, judge(err, ctx.Err(), final), err)
	return result, err
}

// tell writes the line that an attempt is worth, or none.
func (t *told) tell(info activity.Info, came verdict, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	which := [3]string{info.WorkflowExecution.ID, info.WorkflowExecution.RunID, info.ActivityID}
	met := t.trouble[which]
	log := t.log.With("WorkflowID", info.WorkflowExecution.ID)
	name := info.ActivityType.Name
	switch came {
	case troubled, refused:
		if met == nil {
			t.forget(now)
			met = &trouble{since: now, tellAt: 1}
			t.trouble[which] = met
		}
		if met.inARow == 0 {
			met.warnAt = patience
			if came == refused {
				met.warnAt = 1
			}
		}
		met.inARow, met.inAll, met.last = met.inARow+1, met.inAll+1, now
		switch {
		case met.inARow >= met.warnAt:
			met.warnAt *= 2
			log.Warn(name+" fails and is tried again", "times", met.inARow, "since", met.since.UTC(), "error", err)
		case met.inARow == 1:
			log.Debug(name+" is tried again", "error", err)
		}
		return
	case waits:
		if info.Attempt == 1 {
			log.Debug(name+" waits", "for", err)
		}
	case ended:
		log.Warn(name+" ended with an error", "attempt", info.Attempt, "error", err)
	case cut:
		log.Debug(name+" was cut", "attempt", info.Attempt, "error", err)
	case passed:
		if info.Attempt > 1 {
			log.Debug(name+" is over", "attempts", info.Attempt)
		}
	}
	if met == nil {
		return
	}
	met.inARow = 0
	if came == passed || came == waits && met.inAll >= met.tellAt {
		met.tellAt = 4 * met.inAll // a wait is seldom told again
		log.Info(name+" had failed and went through", "times", met.inAll, "since", met.since.UTC())
	}
	if came != waits {
		delete(t.trouble, which)
	}
}

// forget drops what has been heard nothing of for long.
func (t *told) forget(now time.Time) {
	for which, met := range t.trouble {
		if now.Sub(met.last) > forgotten {
			delete(t.trouble, which)
		}
	}
}
