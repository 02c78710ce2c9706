package activities

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

// RecordRead is a journal record, or why it must not be acted upon.
type RecordRead struct {
	Record    json.RawMessage
	Untrusted string
	// MaxBefore is told by LastRecord only: the group's max before each raise that its instances' records tell of, highest
	// first. The instance, and its mark with it, may be gone when max can be lowered at last.
	MaxBefore []int
}

// ReadRecord reads the record that a mark points to and verifies every version's signature. One that is missing, not signed,
// altered or moved is an answer, not an error: the mark is not ours to act upon.
func (c *Control) ReadRecord(ctx context.Context, in Journal) (*RecordRead, error) {
	record, err := c.Evidence.ReadJournal(ctx, in.WaveID, in.Record)
	var missing *evidence.NotFoundError
	var invalid *evidence.InvalidRecordError
	switch {
	case errors.As(err, &missing), errors.As(err, &invalid):
		return &RecordRead{Untrusted: err.Error()}, nil
	case err != nil:
		return nil, evidenceError("read record "+in.Record+" of wave "+in.WaveID, err)
	}
	return &RecordRead{Record: record}, nil
}

// LastRecordInput names a wave's group.
type LastRecordInput struct {
	WaveID string
	Group  patch.Group
}

// LastRecord is the newest record of an instance that the wave wrote in the group: instances are taken one at a time, so only
// that one can have been out of service when the wave ended. Empty when there is none.
func (c *Control) LastRecord(ctx context.Context, in LastRecordInput) (*RecordRead, error) {
	records, err := c.Evidence.ListJournal(ctx, in.WaveID)
	if err != nil {
		return nil, evidenceError("list the journal of wave "+in.WaveID, err)
	}
	last, at := &RecordRead{}, time.Time{}
	for _, record := range records {
		var about struct {
			Group    patch.Group
			Instance string
			At       time.Time
			Intended struct {
				RaiseMax  bool
				MaxBefore int
			}
		}
		if json.Unmarshal(record, &about) != nil || about.Instance == "" || about.Group.String() != in.Group.String() {
			continue
		}
		if about.Intended.RaiseMax {
			last.MaxBefore = append(last.MaxBefore, about.Intended.MaxBefore)
		}
		if about.At.After(at) {
			last.Record, at = record, about.At
		}
	}
	slices.SortFunc(last.MaxBefore, func(a, b int) int { return b - a })
	last.MaxBefore = slices.Compact(last.MaxBefore)
	return last, nil
}
