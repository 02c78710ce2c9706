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

// reads are the beginnings of operations that change nothing. AssumeRole hands out credentials and may be repeated at will.
var reads = []string{"Describe", "Get", "List", "Head", "AssumeRole"}

func isRead(operation string) bool {
	return slices.ContainsFunc(reads, func(start string) bool { return strings.HasPrefix(operation, start) })
}

// TooLate refuses a mutation: so little is left of its attempt that the next one might begin while this call is still on
// its way. Nothing was sent.
type TooLate struct {
	Operation string
	Left      time.Duration // of the attempt
	Whole     time.Duration // the attempt's StartToClose
}

// Error says how little time was left.
func (e *TooLate) Error() string {
	return fmt.Sprintf("%s was not sent: too little time left, %s of the attempt's %s", e.Operation, e.Left.Round(time.Millisecond), e.Whole)
}

// Unsent tells activities that nothing can have taken effect.
func (e *TooLate) Unsent() bool { return true }

// mutateOnce makes a mutating operation go out once and in time. Repeating it belongs to the activity, which looks at what
// the first call did before it calls again.
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
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("PatchtideInTime", inTime), "Signing", middleware.Before)
}

// inTime measures by this process's clock: the SDK counts an attempt's StartToClose from when it began here.
func inTime(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	if !activity.IsActivity(ctx) {
		return next.HandleFinalize(ctx, in)
	}
	info := activity.GetInfo(ctx)
	if left := time.Until(info.Deadline); left < info.StartToCloseTimeout/3 {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, &TooLate{
			Operation: middleware.GetOperationName(ctx), Left: left, Whole: info.StartToCloseTimeout,
		}
	}
	// The activity may have detached its context; the call may not outlive the attempt all the same.
	ctx, cancel := context.WithDeadline(ctx, info.Deadline)
	defer cancel()
	return next.HandleFinalize(ctx, in)
}
