package evidence

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

var errNoKey = errors.New("evidence: the journal needs a key; set journal_key_from")

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

type signature struct {
	Algorithm string `json:"algorithm"`
	KeyID     string `json:"key_id"`
	Value     string `json:"value"` // base64
}

const (
	recordFormat = "patchtide.journal/1"
	algorithm    = "HMAC-SHA256"
)

// AppendJournal records what is about to be changed: the first call for a key creates the record, a later one with
// another body amends it. The same body again changes nothing, so a step may be repeated. A *ConflictError means that
// somebody else amended the record meanwhile. The whole record is given each time; use Amend to change a part of it.
func (s *Store) AppendJournal(ctx context.Context, key RecordKey, record any) error {
	history, err := s.readHistory(ctx, key)
	if err != nil {
		return err
	}
	conflict := s.appendTo(ctx, key, history, record)
	if !isConflict(conflict) {
		return conflict
	}
	// An earlier attempt of the same step may still have been writing, and said the same.
	if history, err = s.readHistory(ctx, key); err != nil {
		return err
	}
	body, err := canonicalOf(record)
	if err == nil && len(history) > 0 && bytes.Equal(history[len(history)-1].Record, body) {
		return nil
	}
	return conflict
}

// Amend reads the newest record of a key, lets change alter it and writes it as the next version. It starts over, with
// what the other wrote, when somebody else was quicker, so change may run several times; after a lost reply it may also
// see its own work, so it should set values rather than count. A key without a record is a *NotFoundError: what was
// changed before anything was recorded cannot be amended.
func Amend[T any](ctx context.Context, s *Store, key RecordKey, change func(*T) error) error {
	var err error
	for range attempts {
		if err = amend(ctx, s, key, change); !isConflict(err) {
			return err
		}
	}
	return err
}

func amend[T any](ctx context.Context, s *Store, key RecordKey, change func(*T) error) error {
	history, err := s.readHistory(ctx, key)
	if err != nil {
		return err
	}
	if len(history) == 0 {
		return &NotFoundError{Name: "journal record " + key.String()}
	}
	var value T
	if err := newest(key, history).Decode(&value); err != nil {
		return err
	}
	if err := change(&value); err != nil {
		return err
	}
	return s.appendTo(ctx, key, history, value)
}

// ReadJournal returns the newest version of a record after checking every version of it. A missing one is a
// *NotFoundError, one that cannot be trusted an *InvalidRecordError.
func (s *Store) ReadJournal(ctx context.Context, key RecordKey) (Record, error) {
	history, err := s.readHistory(ctx, key)
	if err != nil {
		return Record{}, err
	}
	if len(history) == 0 {
		return Record{}, &NotFoundError{Name: "journal record " + key.String()}
	}
	return newest(key, history), nil
}

// ListJournal returns the newest version of every record of a wave, in the order of their names. Records that cannot be
// trusted are left out and named by the error, which joins one *InvalidRecordError for each: a caller that heals acts
// on what is returned and reports the error.
func (s *Store) ListJournal(ctx context.Context, wave string) ([]Record, error) {
	if s.signer == nil {
		return nil, errNoKey
	}
	folder, err := waveFolder(wave)
	if err != nil {
		return nil, err
	}
	names, err := s.place.list(ctx, folder+"journal/")
	if err != nil {
		return nil, fmt.Errorf("evidence: list the journal of wave %s: %w", wave, err)
	}
	var keys []RecordKey
	highest := map[RecordKey]int{}
	for _, name := range names {
		key, number, ok := parseJournalObject(wave, name)
		if !ok {
			continue
		}
		// An amendment counts too: if its first version was deleted, reading it says so.
		if highest[key] == 0 {
			keys = append(keys, key)
		}
		highest[key] = max(highest[key], number)
	}
	var records []Record
	var wrong []error
	for _, key := range keys {
		history, err := s.readVersions(ctx, folder, key, highest[key])
		var invalid *InvalidRecordError
		switch {
		case err == nil:
			records = append(records, newest(key, history))
		case errors.As(err, &invalid):
			wrong = append(wrong, err)
		default:
			return nil, err
		}
	}
	return records, errors.Join(wrong...)
}

func newest(key RecordKey, history []signedRecord) Record {
	last := history[len(history)-1]
	return Record{Key: key, Sequence: last.Sequence, Body: last.Record}
}

// appendTo writes the version that follows history, unless its newest says the same already.
func (s *Store) appendTo(ctx context.Context, key RecordKey, history []signedRecord, record any) error {
	body, err := canonicalOf(record)
	if err != nil {
		return fmt.Errorf("evidence: journal record %s %w", key, err)
	}
	next := signedRecord{Format: recordFormat, Key: key, Sequence: len(history) + 1, Writer: rand.Text(), Record: body}
	if len(history) > 0 {
		last := history[len(history)-1]
		if bytes.Equal(last.Record, body) {
			return nil
		}
		next.Previous = last.Signature.Value
	}
	digest, err := next.digest()
	if err != nil {
		return fmt.Errorf("evidence: journal record %s %w", key, err)
	}
	code, err := s.signer.Sign(ctx, digest)
	if err != nil {
		return fmt.Errorf("evidence: sign journal record %s: %w", key, err)
	}
	next.Signature = &signature{
		Algorithm: algorithm, KeyID: s.signer.KeyID(), Value: base64.StdEncoding.EncodeToString(code),
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

// readHistory returns every version of a record, oldest first and all verified; none at all is no error.
func (s *Store) readHistory(ctx context.Context, key RecordKey) ([]signedRecord, error) {
	if s.signer == nil {
		return nil, errNoKey
	}
	if err := key.validate(); err != nil {
		return nil, err
	}
	folder, err := waveFolder(key.Wave)
	if err != nil {
		return nil, err
	}
	highest, err := s.highestVersion(ctx, folder, key)
	if err != nil {
		return nil, fmt.Errorf("evidence: find journal record %s: %w", key, err)
	}
	return s.readVersions(ctx, folder, key, highest)
}

// readVersions reads and verifies versions 1 to highest.
func (s *Store) readVersions(ctx context.Context, folder string, key RecordKey, highest int) ([]signedRecord, error) {
	var history []signedRecord
	previous := ""
	for number := 1; number <= highest; number++ {
		name := journalObject(folder, key, number)
		content, err := s.place.read(ctx, name)
		if errors.Is(err, errMissing) {
			return nil, &InvalidRecordError{Name: name, Reason: "is missing although a later version is there"}
		}
		if err != nil {
			return nil, fmt.Errorf("evidence: read journal record %s: %w", key, err)
		}
		stored, reason, err := s.verify(ctx, content, key, number, previous)
		if err != nil {
			return nil, fmt.Errorf("evidence: check journal record %s: %w", key, err)
		}
		if reason != "" {
			return nil, &InvalidRecordError{Name: name, Reason: reason}
		}
		history = append(history, stored)
		previous = stored.Signature.Value
	}
	return history, nil
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
	ctx context.Context, content []byte, key RecordKey, number int, previous string,
) (signedRecord, string, error) {
	plain, err := canonical(content)
	if err != nil {
		return signedRecord{}, err.Error(), nil
	}
	var stored signedRecord
	if err := json.Unmarshal(plain, &stored); err != nil {
		return signedRecord{}, "is not of the form of a record", nil
	}
	switch {
	case stored.Format != recordFormat:
		return signedRecord{}, fmt.Sprintf("has the format %q and this version reads %q", stored.Format, recordFormat), nil
	case stored.Signature == nil || stored.Signature.Value == "":
		return signedRecord{}, "is not signed", nil
	case stored.Signature.Algorithm != algorithm:
		return signedRecord{}, fmt.Sprintf("is signed by %q and not by %s", stored.Signature.Algorithm, algorithm), nil
	case stored.Signature.KeyID != s.signer.KeyID():
		return signedRecord{}, fmt.Sprintf(
			"is signed with key %q and ours is %q", stored.Signature.KeyID, s.signer.KeyID(),
		), nil
	}
	code, err := base64.StdEncoding.DecodeString(stored.Signature.Value)
	if err != nil {
		return signedRecord{}, "has a signature that is not base64", nil
	}
	digest, err := stored.digest()
	if err != nil {
		return signedRecord{}, err.Error(), nil
	}
	ok, err := s.signer.Verify(ctx, digest, code)
	switch {
	case err != nil:
		return signedRecord{}, "", err
	case !ok:
		return signedRecord{}, "was altered: its signature does not match", nil
	// Only now are the key and the number known to be what was signed.
	case stored.Key != key || stored.Sequence != number:
		return signedRecord{}, fmt.Sprintf("was moved: it was written as version %d of %s", stored.Sequence, stored.Key), nil
	case stored.Previous != previous:
		return signedRecord{}, "does not follow the version before it", nil
	}
	return stored, "", nil
}

// digest is what is signed: SHA-256 over the format's name and the canonical JSON of everything but the signature.
func (r signedRecord) digest() ([]byte, error) {
	r.Signature = nil
	plain, err := canonicalOf(r)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(recordFormat+"\n"), plain...))
	return sum[:], nil
}
