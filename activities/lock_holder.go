package activities

import (
	"context"

	"go.temporal.io/sdk/temporal"
)

// LockHolderInput names a lock.
type LockHolderInput struct {
	WorkflowID string
}

// LockHolder is who holds a lock; empty when nobody does.
type LockHolder struct {
	WorkflowID string
	Parent     string // the wave's workflow id; "" when it has none
	Wave       string // the wave it works for, by its search attribute; "" when it has none
}

// LockHolder asks Temporal who holds a lock, so that a refused wave can name the one in its way.
func (c *Control) LockHolder(ctx context.Context, in LockHolderInput) (*LockHolder, error) {
	holder, err := c.Locks.Holder(ctx, in.WorkflowID)
	if err != nil {
		return nil, temporal.NewApplicationErrorWithCause(
			"ask Temporal who holds "+in.WorkflowID+": "+err.Error(), ErrLockUnknown, err,
		)
	}
	if holder == nil {
		return &LockHolder{}, nil
	}
	return holder, nil
}
