package evidence

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

var errNoKey = errors.New("evidence: this needs the journal's key; set journal_key_from")

// Record is one verified version of a journal record.
type Record struct {
	Key      RecordKey
	Sequence int             // 1 for the record written before the first change, then one more per amendment
	Body     json.RawMessage // what was recorded, in canonical form
}

// Decode decodes the body into the value that into points at.
func (r Record) Decode(into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return fmt.Errorf("evidence: journal record %s does not fit: %w", r.Key, err)
	}
	return nil
}

// signedRecord is the stored form. Everything but the signature is signed.
type signedRecord struct {
	Format   string    `json:"format"`
	Key      RecordKey `json:"key"`
	Sequence int       `json:"sequence"`
	Previous string    `json:"previous,omitempty"` // signature of the version before
	// random, one per write: tells our own from another's equal words
	Writer    string          `json:"writer"`
	Record    json.RawMessage `json:"record"`
	Signature *signature      `json:"signature,omitempty"`
}

const recordFormat = "patchtide.journal/1"

// AppendJournal records what is about to be changed: the first call for a key creates the record, a later one with
// another body amends it. The same body again changes nothing, so a step may be repeated. A *ConflictError means that
// somebody else amended the record meanwhile. The whole record is given each time. Only the newest version is read, and
// must be proven; that the older ones follow each other is for Verify.
func (s *Store) AppendJournal(ctx context.Context, key RecordKey, record any) error {
	newest, err := s.readNewest(ctx, key)
	if err != nil {
		return err
	}
	conflict := s.appendTo(ctx, key, newest, record)
	if !isConflict(conflict) {
		return conflict
	}
	// An earlier attempt of the same step may still have been writing, and said the same.
	if newest, err = s.readNewest(ctx, key); err != nil {
		return err
	}
	body, err := canonicalOf(record)
	if err == nil && bytes.Equal(newest.Record, body) {
		return nil
	}
	return conflict
}

// RenewJournal is AppendJournal for a record of which only the newest version counts, and which leads nobody to act by
// what an earlier one said: behind one that cannot be proven it begins anew.
func (s *Store) RenewJournal(ctx context.Context, key RecordKey, record any) error {
	err := s.AppendJournal(ctx, key, record)
	var invalid *InvalidRecordError
	if !errors.As(err, &invalid) {
		return err
	}
	folder, err := waveFolder(key.Wave)
	if err != nil {
		return err
	}
	highest, err := s.highestVersion(ctx, folder, key)
	if err != nil {
		return fmt.Errorf("evidence: find journal record %s: %w", key, err)
	}
	return s.appendTo(ctx, key, signedRecord{Sequence: highest}, record)
}

// ReadJournal returns the newest version of a record, whose signature proves it. A missing one is a *NotFoundError, one
// that cannot be trusted an *InvalidRecordError. Older versions are not asked for: a bucket's rules may have expired
// them.
func (s *Store) ReadJournal(ctx context.Context, key RecordKey) (Record, error) {
	newest, err := s.readNewest(ctx, key)
	if err != nil {
		return Record{}, err
	}
	if newest.Sequence == 0 {
		return Record{}, &NotFoundError{Name: "journal record " + key.String()}
	}
	return newest.read(), nil
}

// ListJournal returns the newest version of every record of a wave, in the order of their names. Records that cannot be
// trusted are left out and named by the error, which joins one *InvalidRecordError for each: a caller that heals acts
// on what is returned and reports the error.
func (s *Store) ListJournal(ctx context.Context, wave string) ([]Record, error) {
	return s.list(ctx, wave, func(numbers []int) []int { return numbers[len(numbers)-1:] })
}

// ListVersions is ListJournal with every version that is there and proven, a record's oldest first.
func (s *Store) ListVersions(ctx context.Context, wave string) ([]Record, error) {
	return s.list(ctx, wave, func(numbers []int) []int { return numbers })
}

func (s *Store) list(ctx context.Context, wave string, of func(numbers []int) []int) ([]Record, error) {
	if s.signer == nil {
		return nil, errNoKey
	}
	folder, err := waveFolder(wave)
	if err != nil {
		return nil, err
	}
	keys, versions, _, err := s.versions(ctx, folder, wave)
	if err != nil {
		return nil, err
	}
	// A wave of thousands of instances has as many records, and a read of a bucket takes milliseconds.
	found, wrong := make([][]Record, len(keys)), make([]error, len(keys))
	reads, ctx := errgroup.WithContext(ctx)
	reads.SetLimit(readsAtOnce)
	for i, key := range keys {
		reads.Go(func() error {
			for _, number := range of(versions[key]) {
				stored, err := s.readVersion(ctx, folder, key, number)
				var invalid *InvalidRecordError
				switch {
				case err == nil:
					found[i] = append(found[i], stored.read())
				case errors.As(err, &invalid):
					wrong[i] = errors.Join(wrong[i], err)
				default:
					return err
				}
			}
			return nil
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), errors.Join(wrong...)
}

// readsAtOnce bounds how many records are read from the store at the same time.
const readsAtOnce = 16

// versions lists the records of a wave in the order of their names, the numbers of each one's versions, ascending, and
// what else lies beside them.
func (s *Store) versions(
	ctx context.Context, folder, wave string,
) (keys []RecordKey, versions map[RecordKey][]int, others []string, err error) {
	names, err := s.place.list(ctx, folder+"journal/")
	if err != nil {
		return nil, nil, nil, fmt.Errorf("evidence: list the journal of wave %s: %w", wave, err)
	}
	versions = map[RecordKey][]int{}
	for _, name := range names {
		key, number, ok := parseJournalObject(wave, name)
		if !ok {
			others = append(others, folder+"journal/"+name)
			continue
		}
		if len(versions[key]) == 0 {
			keys = append(keys, key)
		}
		versions[key] = append(versions[key], number)
	}
	for _, numbers := range versions {
		slices.Sort(numbers)
	}
	return keys, versions, others, nil
}

func (r signedRecord) read() Record { return Record{Key: r.Key, Sequence: r.Sequence, Body: r.Record} }

// appendTo writes the version that follows the newest, unless that says the same already.
func (s *Store) appendTo(ctx context.Context, key RecordKey, newest signedRecord, record any) error {
	body, err := canonicalOf(record)
	if err != nil {
		return fmt.Errorf("evidence: journal record %s %w", key, err)
	}
	if bytes.Equal(newest.Record, body) {
		return nil
	}
	next := signedRecord{Format: recordFormat, Key: key, Sequence: newest.Sequence + 1, Writer: rand.Text(), Record: body}
	if newest.Signature != nil {
		next.Previous = newest.Signature.Value
	}
	if next.Signature, err = s.sign(ctx, recordFormat, next); err != nil {
		return fmt.Errorf("evidence: sign journal record %s: %w", key, err)
	}
	content, err := document2JSON(next)
	if err != nil {
		return fmt.Errorf("evidence: journal record %s %w", key, err)
	}
	folder, err := waveFolder(key.Wave)
	if err != nil {
		return err
	}
	if err := createOnce(ctx, s.place, journalObject(folder, key, next.Sequence), content); err != nil {
		return fmt.Errorf("evidence: write journal record %s: %w", key, err)
	}
	return nil
}

// readNewest returns the newest version of a record, verified; the zero value where there is none.
func (s *Store) readNewest(ctx context.Context, key RecordKey) (signedRecord, error) {
	if s.signer == nil {
		return signedRecord{}, errNoKey
	}
	if err := key.validate(); err != nil {
		return signedRecord{}, err
	}
	folder, err := waveFolder(key.Wave)
	if err != nil {
		return signedRecord{}, err
	}
	highest, err := s.highestVersion(ctx, folder, key)
	if err != nil {
		return signedRecord{}, fmt.Errorf("evidence: find journal record %s: %w", key, err)
	}
	if highest == 0 {
		return signedRecord{}, nil
	}
	return s.readVersion(ctx, folder, key, highest)
}

// isGone is why a version cannot be trusted that was listed.
const isGone = "is not there"

// readVersion reads and verifies one version.
func (s *Store) readVersion(ctx context.Context, folder string, key RecordKey, number int) (signedRecord, error) {
	name := journalObject(folder, key, number)
	content, err := s.place.read(ctx, name)
	if errors.Is(err, errMissing) {
		return signedRecord{}, &InvalidRecordError{Name: name, Reason: isGone}
	}
	if err != nil {
		return signedRecord{}, fmt.Errorf("evidence: read journal record %s: %w", key, err)
	}
	stored, reason, err := s.verify(ctx, content, key, number)
	if err != nil {
		return signedRecord{}, fmt.Errorf("evidence: check journal record %s: %w", key, err)
	}
	if reason != "" {
		return signedRecord{}, &InvalidRecordError{Name: name, Reason: reason}
	}
	return stored, nil
}

// highestVersion returns 0 for a record that was never written. The prefix ends before ".json", so that S3 sends the
// versions of one instance and no others.
func (s *Store) highestVersion(ctx context.Context, folder string, key RecordKey) (int, error) {
	prefix := strings.TrimSuffix(journalObject(folder, key, 1), "json")
	names, err := s.place.list(ctx, prefix)
	if err != nil {
		return 0, err
	}
	_, base, _ := strings.Cut(prefix, "/journal/")
	highest := 0
	for _, name := range names {
		if found, number, ok := parseJournalObject(key.Wave, base+name); ok && found == key {
			highest = max(highest, number)
		}
	}
	return highest, nil
}

// verify decodes a stored record and returns why it cannot be trusted, or "". An error means that nobody knows: the
// signer did not answer.
func (s *Store) verify(
	ctx context.Context, content []byte, key RecordKey, number int,
) (signedRecord, string, error) {
	plain, err := canonical(content)
	if err != nil {
		return signedRecord{}, err.Error(), nil
	}
	var stored signedRecord
	if err := json.Unmarshal(plain, &stored); err != nil {
		return signedRecord{}, "is not of the form of a record", nil
	}
	if stored.Format != recordFormat {
		return signedRecord{}, fmt.Sprintf("has the format %q and this version reads %q", stored.Format, recordFormat), nil
	}
	unsigned := stored
	unsigned.Signature = nil
	reason, err := s.unproven(ctx, recordFormat, unsigned, stored.Signature)
	switch {
	case err != nil || reason != "":
		return signedRecord{}, reason, err
	// Only now are the key and the number known to be what was signed.
	case stored.Key != key || stored.Sequence != number:
		return signedRecord{}, fmt.Sprintf("was moved: it was written as version %d of %s", stored.Sequence, stored.Key), nil
	}
	return stored, "", nil
}
