package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
)

// readRecord reads the instance's own record of this wave.
func (s *saga) readRecord(ctx workflow.Context) (activities.RecordRead, error) {
	return readRecord(ctx, activities.ReadRecordInput{Pointer: s.journal().Journal, About: journal.About{
		WaveID: s.in.WaveID, Place: s.in.Group.Place(), Instance: s.in.Instance,
	}})
}

// readRecord reads and verifies the record that a mark points to. One that is not to be trusted is an answer, not an error.
func readRecord(ctx workflow.Context, in activities.ReadRecordInput) (read activities.RecordRead, err error) {
	err = workflow.ExecuteActivity(controlling(ctx, "what the journal's record says"), control.ReadRecord, in).Get(ctx, &read)
	return read, err
}

// writeRecord appends the record to the journal as of now, before what it tells of is done.
func writeRecord(ctx workflow.Context, record *journal.Record) error {
	record.At = workflow.Now(ctx)
	return workflow.ExecuteActivity(controlling(ctx, "into the journal, before it is done"), control.Record,
		activities.RecordInput{Record: *record}).Get(ctx, nil)
}
