package cloud

import (
	"context"
	"fmt"

	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// limits keep one account and region under Automation's quotas, which are so small that a few dozen instances reach
// them, and under CloudTrail's. Source: the quotas of Systems Manager and the API reference of LookupEvents, calls a
// second. Of ListTagsForResource AWS tells none. It is asked of each managed node at each look at a group: so many a
// second are about what one look makes by itself, one call after the other, however many groups are looked at.
type limits map[string]*rate.Limiter

func newLimits(speed float64) limits {
	all := limits{}
	for operation, perSecond := range map[string]float64{
		"StartAutomationExecution":         1,
		"StopAutomationExecution":          1,
		"GetAutomationExecution":           3,
		"DescribeAutomationExecutions":     3,
		"DescribeAutomationStepExecutions": 3,
		"SendAutomationSignal":             3,
		"ListTagsForResource":              20,
		"LookupEvents":                     2,
	} {
		all[operation] = rate.NewLimiter(rate.Limit(perSecond*speed), max(1, int(perSecond*speed)))
	}
	return all
}

// NoTurn says that a call's turn under a quota would not come before its deadline. Nothing was sent.
type NoTurn struct {
	Operation string
	cause     error
}

// Error names the call.
func (e *NoTurn) Error() string {
	return fmt.Sprintf("%s was not sent: its turn under the account's quota did not come: %v", e.Operation, e.cause)
}

// Unwrap gives the limiter's own words.
func (e *NoTurn) Unwrap() error { return e.cause }

// Unsent tells activities that nothing can have taken effect.
func (e *NoTurn) Unsent() bool { return true }

// add makes each attempt of a limited operation wait its turn, retries of reads included. It stands before the check
// for lateness, so that the time spent here counts.
func (l limits) add(stack *middleware.Stack) error {
	limiter, limited := l[stack.ID()]
	if !limited {
		return nil
	}
	operation := stack.ID()
	wait := func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if err := limiter.Wait(ctx); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, &NoTurn{Operation: operation, cause: err}
		}
		return next.HandleFinalize(ctx, in)
	}
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("PatchtideQuota", wait), "Retry", middleware.After)
}
