package run

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadRecord reads and verifies the record that a mark points to. One that is not to be trusted is an answer, not an
// error.
func ReadRecord(ctx workflow.Context, in activities.ReadRecordInput) (read activities.RecordRead, err error) {
	err = workflow.ExecuteActivity(
		Controlling(ctx, "what the journal's record says"), control.ReadRecord, in,
	).Get(ctx, &read)
	return read, err
}

// RecordOf asks for a wave's record of a group, or of an instance of it where instance is not "".
func RecordOf(waveID string, group patch.Group, instance string) activities.ReadRecordInput {
	return activities.ReadRecordInput{
		Pointer: activities.Journal{WaveID: waveID, Record: names.JournalRecord(group, instance)},
		About: journal.About{
			WaveID: waveID, Place: group.Place(), Instance: instance, AutoScalingGroup: groupName(group, instance),
		},
	}
}

func groupName(group patch.Group, instance string) string {
	if instance != "" {
		return ""
	}
	return group.AutoScalingGroup
}

// WriteRecord appends the record to the journal as of now, before what it tells of is done. One that had ended, as that
// of a quarantine had for its wave, has begun again.
func WriteRecord(ctx workflow.Context, record *journal.Record) error {
	record.At, record.Ended, record.Left = workflow.Now(ctx), false, false
	return workflow.ExecuteActivity(Controlling(ctx, "into the journal, before it is done"), control.AppendJournal,
		activities.AppendJournalInput{Record: *record}).Get(ctx, nil)
}

// evidenceBudget is how long what puts back waits for the evidence store: then it goes on, and says so.
const evidenceBudget = 5 * time.Minute

// WhilePuttingBack bounds a write to the evidence store which an undo makes: an instance must not stay out of service
// for a bucket's sake.
func WhilePuttingBack(ctx workflow.Context, summary string) workflow.Context {
	ctx = Controlling(ctx, summary)
	options := workflow.GetActivityOptions(ctx)
	options.ScheduleToCloseTimeout = evidenceBudget
	return workflow.WithActivityOptions(ctx, options)
}

// EndRecord writes a record's last version before its mark comes off, or, with left, that it stays. Its error is for
// the notes: nothing waits for it.
func EndRecord(ctx workflow.Context, in activities.EndJournalInput) error {
	in.At = workflow.Now(ctx)
	return workflow.ExecuteActivity(
		WhilePuttingBack(ctx, "into the journal: what is left of it"), control.EndJournal, in,
	).Get(ctx, nil)
}
