package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// writerObject says who signs here; it is no evidence, and whoever may write here may take it away.
const writerObject = "worker.json"

// writer is who signs what is written here.
type writer struct {
	Version int       `json:"version"` // of this document's shape: 1
	Store   string    `json:"store"`   // drawn once: tells one folder from another of the same name
	KeyID   string    `json:"key_id"`
	Since   time.Time `json:"since"`
}

// OtherKeyError says that what is in the store was signed with a key that this worker does not know: it would believe
// none of its own records.
type OtherKeyError struct {
	Theirs string // the id of the key
	Since  time.Time
	Ours   string // the ids of the keys here
}

// Error names the keys and what to do.
func (e *OtherKeyError) Error() string {
	return fmt.Sprintf("the evidence store is signed with key %q since %s, and the keys here are %s: no record of what "+
		"is under way would be believed. Put the right key where journal_key_from says, or name the earlier one in "+
		"journal_older_keys_from. Where it must not be believed any more, delete %s in the evidence store",
		e.Theirs, e.Since.UTC().Format(time.RFC3339), e.Ours, writerObject)
}

// BeginSigning proves that the store can be read and written, and keeps there with which key it is signed from now on.
// A store that was signed last with a key that is neither the present one nor an earlier one is an *OtherKeyError. Call
// it before anything is signed.
func (s *Store) BeginSigning(ctx context.Context, at time.Time) error {
	last, err := s.lastWriter(ctx)
	if err != nil {
		return err
	}
	first := last == writer{}
	if last.KeyID != s.signer.KeyID() {
		last.KeyID, last.Since = s.signer.KeyID(), at.UTC()
	}
	if first {
		last.Version, last.Store = 1, uuid.NewString()
	}
	content, err := document2JSON(last) // written each time: that proves that it can be
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	write := s.place.replace
	if first {
		write = s.place.create
	}
	switch err := write(ctx, writerObject, content); {
	case errors.Is(err, errTaken): // by another worker, at the same time
		return s.BeginSigning(ctx, at)
	case err != nil:
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

// CheckKey is what BeginSigning says of the keys, and changes nothing.
func (s *Store) CheckKey(ctx context.Context) error {
	_, err := s.lastWriter(ctx)
	return err
}

// lastWriter is who signed last, with a key that is known here; zero where nobody has.
func (s *Store) lastWriter(ctx context.Context) (last writer, err error) {
	if s.signer == nil {
		return last, errNoKey
	}
	content, err := s.place.read(ctx, writerObject)
	switch {
	case errors.Is(err, errMissing):
		return last, nil
	case err != nil:
		return last, fmt.Errorf("evidence: %w", err)
	}
	if err := json.Unmarshal(content, &last); err != nil {
		return last, fmt.Errorf("evidence: %s cannot be read: %w; delete it if nobody knows what it is", writerObject, err)
	}
	if s.signerOf(last.KeyID) == nil {
		return last, &OtherKeyError{Theirs: last.KeyID, Since: last.Since, Ours: s.keyIDs()}
	}
	return last, nil
}

// Fingerprints tell where a store is and with which keys, without telling either: 12 hexadecimal digits for the key
// that signs, then for each earlier one. Workers whose first is among each other's believe each other's records. A
// folder is known by what BeginSigning has left in it, from whatever machine it is seen; the error is that this cannot
// be read.
func (s *Store) Fingerprints(ctx context.Context) ([]string, error) {
	where := s.where
	if IsLocal(where) {
		last, err := s.lastWriter(ctx)
		switch {
		case err != nil:
			return nil, err
		case last.Store == "":
			return nil, errors.New("evidence: nothing has been signed here yet")
		}
		where = last.Store
	}
	var all []string
	for _, key := range slices.Concat([]Signer{s.signer}, s.older) {
		sum := sha256.Sum256([]byte(where + "\n" + key.KeyID()))
		all = append(all, hex.EncodeToString(sum[:6]))
	}
	return all, nil
}
