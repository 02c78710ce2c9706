package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.temporal.io/sdk/activity"
)

// reads are the beginnings of operations that change nothing. AssumeRole hands out credentials and may be repeated at
// will.
var reads = []string{"Describe", "Get", "List", "Head", "AssumeRole", "Simulate", "Lookup"}

func isRead(operation string) bool {
	return slices.ContainsFunc(reads, func(start string) bool { return strings.HasPrefix(operation, start) })
}

// TooLate refuses a mutation: so little is left of its attempt that the next one might begin while this call is still
// on its way. Nothing was sent.
type TooLate struct {
	Operation string
	Left      time.Duration // of the attempt; below 0 when it is over
	Whole     time.Duration // the attempt's StartToClose
	// Delayed is how much earlier the attempt ends by the Temporal server's clock than by this process's.
	Delayed time.Duration
}

// Error says how little time was left, and why where that is not this attempt's own doing.
func (e *TooLate) Error() string {
	text := fmt.Sprintf(
		"%s was not sent: too little time left, %s of the attempt's %s", e.Operation, e.Left.Round(time.Millisecond), e.Whole,
	)
	if e.Delayed > e.Whole/3 {
		text += fmt.Sprintf("; by Temporal's clock it began %s before it reached this process, which was paused, or whose "+
			"clock is wrong",
			e.Delayed.Round(time.Millisecond))
	}
	return text
}

// Unsent tells activities that nothing can have taken effect.
func (e *TooLate) Unsent() bool { return true }

// mutateOnce makes a mutating operation go out once and in time. Repeating it belongs to the activity, which looks at
// what the first call did before it calls again.
func mutateOnce(stack *middleware.Stack) error {
	if isRead(stack.ID()) {
		return nil
	}
	if _, retried := stack.Finalize.Get("Retry"); retried {
		once := retry.NewAttemptMiddleware(aws.NopRetryer{}, smithyhttp.RequestCloner)
		if _, err := stack.Finalize.Swap("Retry", once); err != nil {
			return err
		}
	}
	return stack.Finalize.Insert(
		middleware.FinalizeMiddlewareFunc("PatchtideInTime", inTime), "Signing", middleware.Before,
	)
}

// inTime holds a mutation to the attempt's deadline, and the call to what is left of it.
func inTime(
	ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
) (middleware.FinalizeOutput, middleware.Metadata, error) {
	if !activity.IsActivity(ctx) {
		return next.HandleFinalize(ctx, in)
	}
	info := activity.GetInfo(ctx)
	ends := deadline(info)
	if left := time.Until(ends); left < info.StartToCloseTimeout/3 {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, &TooLate{
			Operation: middleware.GetOperationName(ctx), Left: left, Whole: info.StartToCloseTimeout,
			Delayed: info.Deadline.Sub(ends),
		}
	}
	// The activity may have detached its context; the call may not outlive the attempt all the same.
	ctx, cancel := context.WithDeadline(ctx, ends)
	defer cancel()
	return next.HandleFinalize(ctx, in)
}

// deadline is when an attempt is over. The SDK counts from when the task reached it (calculateActivityDeadline in its
// activity.go); Temporal counts from when it gave the task out. Between the two a process may have been paused with the
// task in its socket, and the attempt then was over long ago, its successor's work perhaps undone already. So the
// earlier of the two counts: a host whose clock is ahead of Temporal's loses that much of each attempt, one whose clock
// is behind, none.
func deadline(info activity.Info) time.Time {
	byServer := info.StartedTime.Add(info.StartToCloseTimeout)
	if info.StartedTime.IsZero() || byServer.After(info.Deadline) {
		return info.Deadline
	}
	return byServer
}
