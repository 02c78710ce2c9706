package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/journal"
)

// FindOwnersInput names those who may own a resource: its wave, its group's lock and its own.
type FindOwnersInput struct {
	WorkflowIDs []string
	Wrote       journal.Origin // the run that wrote its record; zero: it is not asked about
}

// Owners tells which of them run.
type Owners struct {
	Running []string
	Closed  time.Time      // when the last of the others ended; zero when Temporal knows none of them any more
	Wrote   journal.Ending // how the run ended that wrote its record
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
	if wrote := in.Wrote; wrote.RunID != "" {
		ending, err := c.Locks.Ending(ctx, wrote.WorkflowID, wrote.RunID)
		if err != nil {
			return nil, temporal.NewApplicationErrorWithCause(
				"ask Temporal how run "+wrote.RunID+" of "+wrote.WorkflowID+" ended: "+err.Error(), ErrLockUnknown, err,
			)
		}
		owners.Wrote = ending
	}
	return owners, nil
}
