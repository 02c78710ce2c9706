// Package schedules keeps Temporal's schedules: those that open the plans' windows equal to the configuration, and the
// one by which Reconcile runs. What somebody else changes of one at the same time is never undone.
package schedules

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// tries is how often somebody else may be quicker: a person at a keyboard is once, two scripts that fight are always.
const tries = 5

// BusyError is a schedule that is not as it was asked to be, although it was changed again and again.
type BusyError struct{ ID string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("the schedule %s was changed %d times and is not as it should be: somebody else changes it "+
		"all the time; find out who, then try again", e.ID, tries)
}

// update changes a schedule by what it is now. change returns the schedule as it should be, or nil where it is so
// already; it is asked again after each change, also after a reply that was lost, so that nil is the only way to end
// well. A change that crosses somebody else's is not made, and change is asked about theirs. The client must have been
// dialled with DialOption.
func update(
	ctx context.Context, handle client.ScheduleHandle, change func(now client.Schedule) (*client.Schedule, error),
) error {
	for range tries {
		seen, asIs := &token{}, false
		err := handle.Update(context.WithValue(ctx, tokenKey{}, seen), client.ScheduleUpdateOptions{
			DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
				next, err := change(in.Description.Schedule)
				switch {
				case err != nil:
					return nil, err
				case next == nil:
					asIs = true
					return nil, temporal.ErrSkipScheduleUpdate
				}
				return &client.ScheduleUpdate{Schedule: next}, nil
			},
		})
		// A server whose schedules are workflows drops a change that crosses another in silence; a newer one refuses it so.
		var crossed *serviceerror.FailedPrecondition
		switch {
		case asIs:
			return nil
		case err != nil && !errors.As(err, &crossed):
			return err
		case !seen.sent:
			return errors.New("the connection to Temporal was made without schedules.DialOption, " +
				"so that another's change may have been undone")
		}
	}
	return &BusyError{ID: handle.GetID()}
}
