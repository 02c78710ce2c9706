package activities

import (
	"context"
	"errors"
	"time"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
)

// EndJournalInput names a record that its saga is done with.
type EndJournalInput struct {
	Record ReadRecordInput
	Left   bool      // something is left, and stays marked; else nothing is
	Freed  bool      // the instance is out of its quarantine
	At     time.Time // by Temporal's clock
	// Point is the backup that was taken after the record's last version: a backup that no record names never expires.
	Point   *patch.RestorePoint   `json:",omitempty"`
	Patched *patch.InstanceResult `json:",omitempty"` // see journal.Record
	// Same: whether it is patched is as the record has it already.
	Same bool `json:",omitempty"`
}

// EndJournal writes a record's last version: that nothing of it is left to be put back, or that its saga left
// something. No record is no error: nothing was changed.
func (c *Control) EndJournal(ctx context.Context, in EndJournalInput) error {
	wave, name := in.Record.Pointer.WaveID, in.Record.Pointer.Record
	document, err := c.Evidence.ReadJournal(ctx, wave, name)
	var missing *evidence.NotFoundError
	if errors.As(err, &missing) {
		return nil
	}
	var record journal.Record
	if err == nil {
		record, err = journal.Decode(document, in.Record.About)
	}
	if err != nil {
		return evidenceError("end record "+name+" of wave "+wave, err)
	}
	record.Ended, record.Left, record.At, record.Origin = !in.Left, in.Left, in.At, c.origin(ctx)
	if !in.Same {
		record.Patched = in.Patched
	}
	if record.Point == nil {
		record.Point = in.Point
	}
	if in.Freed && record.Quarantine != nil {
		record.Quarantine.Ended = in.At
	}
	return evidenceError("end record "+name+" of wave "+wave, c.Evidence.AppendJournal(ctx, wave, name, record))
}
