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
		inTime(ctx, "what the journal's record says"), control.ReadRecord, in,
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
// of a quarantine had for its wave, has begun again. In a context of WhileOut it gives up soon.
func WriteRecord(ctx workflow.Context, record *journal.Record) error {
	record.At, record.Ended, record.Left, record.Patched = workflow.Now(ctx), false, false, nil
	return workflow.ExecuteActivity(inTime(ctx, "into the journal, before it is done"), control.AppendJournal,
		activities.AppendJournalInput{Record: *record}).Get(ctx, nil)
}

// evidenceBudget is how long anybody who has an instance out of service, or puts something back, waits for the evidence
// store: then it goes on without, or puts back, and says so.
const evidenceBudget = 5 * time.Minute

type outKey struct{}

// WhileOut marks a context in which an instance is out of service, or something is put back: nothing in it waits long
// for the evidence store.
func WhileOut(ctx workflow.Context) workflow.Context { return workflow.WithValue(ctx, outKey{}, true) }

// inTime are the options of what asks the evidence store.
func inTime(ctx workflow.Context, summary string) workflow.Context {
	if ctx.Value(outKey{}) != nil {
		return whilePuttingBack(ctx, summary)
	}
	return Controlling(ctx, summary)
}

// whilePuttingBack bounds a write to the evidence store which an undo makes: an instance must not stay out of service
// for a bucket's sake.
func whilePuttingBack(ctx workflow.Context, summary string) workflow.Context {
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
		whilePuttingBack(ctx, "into the journal: what is left of it"), control.EndJournal, in,
	).Get(ctx, nil)
}
