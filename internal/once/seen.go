package once

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/aws"
)

// LastSeen is what this wait waited for when it looked last, be it in an attempt before; "" where it has not looked. It
// is the second of a wait's heartbeat details.
func LastSeen(ctx context.Context) string {
	var kept any
	var seen string
	if !activity.HasHeartbeatDetails(ctx) || activity.GetHeartbeatDetails(ctx, &kept, &seen) != nil {
		return ""
	}
	return seen
}

// waitsFor is what a look waits for that said so by an error of its own type, as Waiting makes it; "" for any other.
func waitsFor(err error) string {
	var typed *temporal.ApplicationError
	if !errors.As(err, &typed) || typed.Category() != temporal.ApplicationErrorCategoryBenign {
		return ""
	}
	return typed.Message()
}

// stillWaiting is the error of a look that could not be made, where an earlier one was: should no time be left for
// another, it is all that people are told. What was waited for is why the wait has not ended; that the last attempt had
// no time left to ask again is not. What no retry will mend tells itself.
func stillWaiting(err error, seen string, pace Pace) error {
	var unsent interface{ Unsent() bool }
	var known *aws.Error
	switch {
	case seen == "":
		return err
	case errors.As(err, &unsent) && unsent.Unsent():
		return NotReady(pace.Poll.D(), "%s", seen)
	case errors.As(err, &known) && !known.Final && (known.Kind == aws.Passing || known.Kind == aws.Throttled):
		return &aws.Error{
			Kind: known.Kind, Message: seen + "; since then nobody could look: " + known.Message, Err: known.Err,
		}
	}
	return err
}
