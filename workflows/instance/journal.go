package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

func (s *saga) journal() activities.MarkInstanceInput {
	return activities.MarkInstanceInput{Instance: s.instance(), Journal: activities.Journal{
		WaveID: s.in.WaveID, Record: names.JournalRecord(s.in.Group, s.in.Instance),
	}}
}

// readRecord reads the instance's own record of this wave.
func (s *saga) readRecord(ctx workflow.Context) (activities.RecordRead, error) {
	return run.ReadRecord(ctx, activities.ReadRecordInput{Pointer: s.journal().Journal, About: journal.About{
		WaveID: s.in.WaveID, Place: s.in.Group.Place(), Instance: s.in.Instance,
	}})
}
