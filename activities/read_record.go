package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadRecordInput names a record, and what it must be about for whoever is about to act on it.
type ReadRecordInput struct {
	Pointer Journal
	About   journal.About
}

// RecordRead is a journal record, or why it must not be acted upon.
type RecordRead struct {
	Record    *journal.Record // nil: Untrusted says why
	Untrusted string
	Elsewhere bool // it is another Temporal's, whose worker knows what runs
}

// ReadRecord reads the record that a mark points to, verifies its signature and decodes it. One that is
// missing, not signed, altered, moved, not whole or about something else is an answer, not an error: the mark is not
// ours to act upon.
func (c *Control) ReadRecord(ctx context.Context, in ReadRecordInput) (*RecordRead, error) {
	document, err := c.Evidence.ReadJournal(ctx, in.Pointer.WaveID, in.Pointer.Record)
	var missing *evidence.NotFoundError
	var invalid *evidence.InvalidRecordError
	switch {
	case errors.As(err, &missing), errors.As(err, &invalid):
		return &RecordRead{Untrusted: err.Error()}, nil
	case err != nil:
		return nil, evidenceError("read record "+in.Pointer.Record+" of wave "+in.Pointer.WaveID, err)
	}
	record, err := journal.Decode(document, in.About)
	switch {
	case err != nil:
		return &RecordRead{Untrusted: err.Error()}, nil
	case record.Origin.NamespaceID != c.NamespaceID:
		return &RecordRead{Elsewhere: true, Untrusted: fmt.Sprintf(
			"its record was written by %s in the namespace %s of another Temporal, which uses the same evidence store and key",
			record.Origin.WorkflowID, record.Origin.Namespace)}, nil
	}
	return &RecordRead{Record: &record}, nil
}

// LastRecordInput names a wave's group.
type LastRecordInput struct {
	WaveID string
	Group  patch.Group
}

// LastRecords is what a wave's journal tells of a group last.
type LastRecords struct {
	// Records are those of instances that may have been out of service: the newest one, and before it what was under way
	// beside it; none: there is none.
	Records []*journal.Record
	// Raises are those of the group's max that its instances' records tell of, highest first. The instance, and its mark
	// with it, may be gone when max can be lowered at last.
	Raises []MaxRaise
}

// MaxRaise is one raise of a group's max.
type MaxRaise struct{ MaxBefore, By int }

// LastRecord tells of the instances that can have been out of service when the wave ended, by the records that it wrote
// in the group: where one is taken at a time, only that of the newest. What cannot be decoded, or has ended, is left
// out, and of the older ones what people were told of as stranded.
func (c *Control) LastRecord(ctx context.Context, in LastRecordInput) (*LastRecords, error) {
	documents, _, err := c.Evidence.ListJournal(ctx, in.WaveID)
	if err != nil {
		return nil, evidenceError("list the journal of wave "+in.WaveID, err)
	}
	last := &LastRecords{}
	for _, document := range documents {
		record, err := journal.DecodeOfWave(document, in.WaveID, in.Group)
		if err != nil || record.Instance == "" || record.Ended || record.Origin.NamespaceID != c.NamespaceID {
			continue
		}
		if record.Intended.RaiseMax > 0 {
			last.Raises = append(last.Raises, MaxRaise{record.Intended.MaxBefore, record.Intended.RaiseMax})
		}
		last.Records = append(last.Records, &record)
	}
	slices.SortStableFunc(last.Records, func(a, b *journal.Record) int { return b.At.Compare(a.At) })
	if len(last.Records) > 0 {
		newest := last.Records[0]
		last.Records = slices.DeleteFunc(last.Records, func(record *journal.Record) bool {
			return record != newest && (record.Left || !record.Policy.MaxUnavailable.MayBeSeveral())
		})
	}
	slices.SortFunc(last.Raises, func(a, b MaxRaise) int { return cmp.Or(b.MaxBefore-a.MaxBefore, b.By-a.By) })
	last.Raises = slices.Compact(last.Raises)
	return last, nil
}
