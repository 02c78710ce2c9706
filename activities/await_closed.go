package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitWorkflowsClosedInput names a wave and those of its groups that are asked about.
type AwaitWorkflowsClosedInput struct {
	WaveID string
	Groups []patch.Group
}

// atRestPoll is how often Temporal is asked whether a wave's group is at rest: putting an instance back takes minutes.
const atRestPoll = 5 * time.Second

// AwaitWorkflowsClosed waits until no workflow works on the groups for that wave any more: neither a group's nor, where
// that was terminated and left one, the instance's that the wave touched last, by its journal. Reconcile heals for the
// wave, and is waited for as well; another wave on the group is not.
func (c *Control) AwaitWorkflowsClosed(ctx context.Context, in AwaitWorkflowsClosedInput) error {
	for _, group := range in.Groups {
		locks := []string{names.GroupLock(group)}
		last, err := c.LastRecord(ctx, LastRecordInput{WaveID: in.WaveID, Group: group})
		if err != nil {
			return err
		}
		for _, record := range last.Records {
			locks = append(locks, names.InstanceLock(group, record.Instance))
		}
		lock, err := c.held(ctx, in.WaveID, locks...)
		switch {
		case err != nil:
			return err
		case lock != "":
			return once.NotReady(atRestPoll, "waiting for %s, which still runs for wave %s", lock, in.WaveID)
		}
	}
	return nil
}

// held is the first of the locks that a workflow has for a wave; "" when none has. Whose it is cannot be told of one
// without a wave: it may be the wave's.
func (c *Control) held(ctx context.Context, wave string, locks ...string) (string, error) {
	for _, lock := range locks {
		holder, err := c.Locks.Holder(ctx, lock)
		if err != nil {
			return "", temporal.NewApplicationErrorWithCause(
				"ask Temporal whether "+lock+" runs: "+err.Error(), ErrLockUnknown, err,
			)
		}
		if holder != nil && (holder.Wave == wave || holder.Wave == "") {
			return lock, nil
		}
	}
	return "", nil
}
