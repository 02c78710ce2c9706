package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/temporal"
)

// FindOwnersInput names those who may own a resource: its wave, its group's lock and its own.
type FindOwnersInput struct {
	WorkflowIDs []string
}

// Owners tells which of them run.
type Owners struct {
	Running []string
	Closed  time.Time // when the last of the others ended; zero when Temporal knows none of them any more
}

// FindOwners asks Temporal by workflow id. No answer is an error: what may be owned is not touched.
func (c *Control) FindOwners(ctx context.Context, in FindOwnersInput) (*Owners, error) {
	owners := &Owners{}
	for _, id := range in.WorkflowIDs {
		holder, err := c.Locks.Holder(ctx, id)
		var closed time.Time
		if err == nil && holder == nil {
			closed, err = c.Locks.Closed(ctx, id)
		}
		if err != nil {
			return nil, temporal.NewApplicationErrorWithCause(
				"ask Temporal whether "+id+" runs: "+err.Error(), ErrLockUnknown, err,
			)
		}
		if holder != nil {
			owners.Running = append(owners.Running, id)
		}
		if closed.After(owners.Closed) {
			owners.Closed = closed
		}
	}
	return owners, nil
}
