package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// AppendJournalInput is what a saga is about to change.
type AppendJournalInput struct {
	Record journal.Record
}

// AppendJournal appends to the journal before a change is made.
func (c *Control) AppendJournal(ctx context.Context, in AppendJournalInput) error {
	record := in.Record
	record.Origin = c.origin(ctx)
	if err := c.Evidence.AppendJournal(ctx, record.WaveID, record.Name(), record); err != nil {
		return evidenceError("record "+record.Name()+" of wave "+record.WaveID, err)
	}
	return c.recordRaise(ctx, record)
}

// origin is the run that asks, as Temporal tells it.
func (c *Control) origin(ctx context.Context) journal.Origin {
	if !activity.IsActivity(ctx) {
		return journal.Origin{} // nobody acts upon such a record
	}
	info := activity.GetInfo(ctx)
	return journal.Origin{
		Namespace: info.Namespace, NamespaceID: c.NamespaceID, WorkflowID: info.WorkflowExecution.ID,
		RunID: info.WorkflowExecution.RunID,
	}
}

// raise is the last time that a wave was about to raise a group's max. Standby and suspended processes can be seen in a
// group; a raised max looks like any other, so that without the tag only this tells of it.
type raise struct {
	WaveID    string
	Group     patch.Group
	MaxBefore int
	By        int // it was raised
	At        time.Time
}

// recordRaise keeps the newest raise of a group's max where it is found by the group alone.
func (c *Control) recordRaise(ctx context.Context, record journal.Record) error {
	if record.Intended.RaiseMax == 0 {
		return nil
	}
	group := record.Group
	return evidenceError("record that the max of "+group.String()+" is raised",
		c.Evidence.RenewJournal(ctx, names.RaisedMaxJournal, names.JournalRecord(group, ""),
			raise{
				WaveID: record.WaveID, Group: group, MaxBefore: record.Intended.MaxBefore, By: record.Intended.RaiseMax,
				At: record.At,
			}))
}
