package once

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/aws"
)

// Typed gives an error of AWS, where it is one, the form in which Temporal keeps its type: every activity that calls
// AWS defers it, since wrapped in anything else Temporal would lose the type. The message has AWS's words; only
// AWS's own part of the SDK's error is kept as the cause, since every link goes into the workflow's history.
func Typed(err *error) {
	var done *temporal.ApplicationError
	var known *aws.Error
	if errors.As(*err, &done) || !errors.As(*err, &known) {
		return
	}
	options := temporal.ApplicationErrorOptions{NonRetryable: known.Final}
	var api smithy.APIError
	if errors.As(known.Err, &api) {
		options.Cause = api
	}
	*err = temporal.NewApplicationErrorWithOptions(known.Message, known.Kind, options)
}

// Final is an error that no retry will mend.
func Final(errorType, format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), errorType, nil)
}

// ErrNotReady is the type of an error that says that a wait goes on; the last one is a spent budget.
const ErrNotReady = "NotReady"

// NotReady says that a wait goes on: it is retried after poll, is no failure in anybody's metrics, and costs no
// history.
func NotReady(poll time.Duration, format string, args ...any) error {
	return Waiting(ErrNotReady, poll, format, args...)
}

// Waiting is NotReady of another type.
func Waiting(errorType string, poll time.Duration, format string, args ...any) error {
	return temporal.NewApplicationErrorWithOptions(
		fmt.Sprintf(format, args...), errorType, temporal.ApplicationErrorOptions{
			NextRetryDelay: poll,
			Category:       temporal.ApplicationErrorCategoryBenign,
		})
}
