package once

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/aws"
)

// Ownership is the one changing call of an activity whose effect looks just like what somebody else may do, such as one
// more in a group's desired: what is seen is ours only if the call may have left before.
type Ownership struct {
	Unsent bool // it has not left yet, in no attempt, or AWS refused it: what is seen is somebody else's
}

// NewOwnership reads what the attempts before left. One that died before its first heartbeat left nothing: then the
// call may have been made.
func NewOwnership(ctx context.Context) *Ownership {
	if trace, known := LastFootprint(ctx); known {
		return &Ownership{Unsent: trace.Unsent}
	}
	return &Ownership{Unsent: activity.GetInfo(ctx).Attempt <= 1}
}

// Sending wraps the call. The heartbeat before it is the first of its attempt, and so is sent at once: whoever dies
// from here on has left word that the call may be on its way.
func (c *Ownership) Sending(ctx context.Context, call func() error) func() error {
	return func() error {
		unsent := c.Unsent
		activity.RecordHeartbeat(ctx, Footprint{})
		c.Unsent = false
		err := call()
		c.Unsent = unsent && err != nil && !aws.MayHaveActed(err)
		return err
	}
}

// Told keeps for the next attempt, and tells the workflow in the error, that nothing has been done so far.
func (c *Ownership) Told(ctx context.Context, err error) error {
	Typed(&err)
	var known *temporal.ApplicationError
	if err == nil || !c.Unsent || !errors.As(err, &known) {
		return err
	}
	activity.RecordHeartbeat(ctx, Footprint{Unsent: true})
	return temporal.NewApplicationErrorWithOptions(known.Message(), known.Type(), temporal.ApplicationErrorOptions{
		NonRetryable: known.NonRetryable(), Cause: known.Unwrap(), NextRetryDelay: known.NextRetryDelay(),
		Category: known.Category(),
		Details:  []any{undone{NothingDone: true}},
	})
}

// undone is the detail of an error that comes before anything was done.
type undone struct {
	NothingDone bool
}

// NothingDone reports whether an activity ended with an error before anything of it can have taken effect: there is
// nothing to take back, and what looks like it is somebody else's. An attempt that ran out of time leaves that open.
func NothingDone(err error) bool {
	var late *temporal.TimeoutError
	var typed *temporal.ApplicationError
	if errors.As(err, &late) || !errors.As(err, &typed) || !typed.HasDetails() {
		return false
	}
	var said undone
	return typed.Details(&said) == nil && said.NothingDone
}
