package activities

import (
	"context"
	"errors"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
)

// NewQuarantines asks the journal.
func NewQuarantines(evidence Evidence) aws.Quarantines { return quarantines{evidence} }

type quarantines struct{ evidence Evidence }

// Doubt reads and verifies the record. It is of no matter here which Temporal wrote it: a quarantine outlives that.
func (q quarantines) Doubt(
	ctx context.Context, pointer aws.Journal, place patch.Place, instance string,
) (string, error) {
	document, err := q.evidence.ReadJournal(ctx, pointer.WaveID, pointer.Record)
	var missing *evidence.NotFoundError
	var invalid *evidence.InvalidRecordError
	switch {
	case errors.As(err, &missing), errors.As(err, &invalid):
		return err.Error(), nil
	case err != nil:
		return "", err
	}
	record, err := journal.Decode(document, journal.About{WaveID: pointer.WaveID, Place: place, Instance: instance})
	if err != nil {
		return err.Error(), nil //nolint:nilerr // why it is not believed is the answer
	}
	return record.DoubtQuarantine(), nil
}
