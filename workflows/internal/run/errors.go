package run

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// IsType reports whether an activity ended with an error of one of the types.
func IsType(err error, types ...string) bool {
	var typed *temporal.ApplicationError
	if !errors.As(err, &typed) {
		return false
	}
	for _, t := range types {
		if typed.Type() == t {
			return true
		}
	}
	return false
}

// GivenUp is the error of what a person has given up, or has not been tried any more since: a cancel that says what
// failed.
type GivenUp struct {
	Said string
	Err  error // Temporal's
}

func (e *GivenUp) Error() string { return e.Said }

func (e *GivenUp) Unwrap() error { return e.Err }

// Reason is an error as a person should read it: the activity's own words, without Temporal's wrapping.
func Reason(err error) string {
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		if typed.Type() == activities.ErrNotReady {
			return "gave up waiting: " + typed.Message()
		}
		return typed.Message()
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		var kept any
		var seen string // see once.LastSeen
		if timeout.HasLastHeartbeatDetails() && timeout.LastHeartbeatDetails(&kept, &seen) == nil && seen != "" {
			return "gave up waiting: " + seen
		}
		return "no answer in time from the activity: " + timeout.Error()
	}
	var given *GivenUp
	switch {
	case errors.As(err, &given):
		return given.Said
	case temporal.IsCanceledError(err):
		return "cancelled"
	}
	return err.Error()
}

// CodedReason is Reason behind the error's code, by which docs/refusals.md and the runbook name a refusal.
func CodedReason(err error) string {
	said, code := Reason(err), ErrorType(err)
	if temporal.IsCanceledError(err) || strings.HasPrefix(said, code+":") {
		return said
	}
	return code + ": " + said
}

// isUnserved reports whether no worker took the task.
func isUnserved(err error) bool {
	var timeout *temporal.TimeoutError
	return errors.As(err, &timeout) && timeout.TimeoutType() == enums.TIMEOUT_TYPE_SCHEDULE_TO_START
}

// ErrorType is the type an activity's error has, for the wave's own.
func ErrorType(err error) string {
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		return typed.Type()
	}
	return "Preflight"
}

// ErrQueueNotServed is the type of the error that no worker serves an account's queue.
const ErrQueueNotServed = "QueueNotServed"

// Refused makes an answer of a pure decision an error that ends the wave before anything was changed.
func Refused(refusal *patch.Refusal) error {
	return temporal.NewNonRetryableApplicationError(refusal.Error(), string(refusal.Code), nil)
}

// PreflightError names the group whose account or region refused.
func PreflightError(group patch.Group, err error) error {
	if temporal.IsCanceledError(err) {
		return err
	}
	return temporal.NewNonRetryableApplicationError(
		fmt.Sprintf("%s: %s; nothing was changed", group, Reason(err)), ErrorType(err), nil,
	)
}
