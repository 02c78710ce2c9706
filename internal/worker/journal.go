package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
)

// Journal is the evidence store as activities ask for it.
func Journal(store *evidence.Store) activities.Evidence { return journal{store} }

// journal gives the evidence store the shape that activities ask for.
type journal struct{ *evidence.Store }

// AppendJournal takes a record's name apart: account/region/resource.
func (j journal) AppendJournal(ctx context.Context, wave, name string, record any) error {
	key, err := keyOf(wave, name)
	if err != nil {
		return err
	}
	return j.Store.AppendJournal(ctx, key, record)
}

// RenewJournal takes a record's name apart, as AppendJournal does.
func (j journal) RenewJournal(ctx context.Context, wave, name string, record any) error {
	key, err := keyOf(wave, name)
	if err != nil {
		return err
	}
	return j.Store.RenewJournal(ctx, key, record)
}

// ReadJournal reads the newest version of a record. A name that no record can have leads to none.
func (j journal) ReadJournal(ctx context.Context, wave, name string) (json.RawMessage, error) {
	key, err := keyOf(wave, name)
	if err == nil {
		err = key.Check()
	}
	if err != nil {
		return nil, &evidence.InvalidRecordError{
			Name: name, Reason: "has a name that no record of ours can have: " + err.Error(),
		}
	}
	record, err := j.Store.ReadJournal(ctx, key)
	return record.Body, err
}

// ListJournal reads those of a wave's records that can be trusted, and says why the others cannot.
func (j journal) ListJournal(ctx context.Context, wave string) ([]json.RawMessage, []string, error) {
	return bodies(j.Store.ListJournal(ctx, wave))
}

// ListVersions does so with every version of them.
func (j journal) ListVersions(ctx context.Context, wave string) ([]json.RawMessage, []string, error) {
	return bodies(j.Store.ListVersions(ctx, wave))
}

// bodies are what records say, and what is wrong with those that cannot be trusted: they are not among them.
func bodies(records []evidence.Record, err error) (said []json.RawMessage, unproven []string, _ error) {
	var invalid *evidence.InvalidRecordError
	if err != nil && !errors.As(err, &invalid) {
		return nil, nil, err
	}
	if err != nil {
		unproven = strings.Split(err.Error(), "\n") // errors.Join: one a line
	}
	said = make([]json.RawMessage, len(records))
	for i, record := range records {
		said[i] = record.Body
	}
	return said, unproven, nil
}

func keyOf(wave, name string) (evidence.RecordKey, error) {
	parts := strings.SplitN(name, "/", 3)
	if len(parts) != 3 {
		return evidence.RecordKey{}, fmt.Errorf("journal record %q is not named account/region/resource", name)
	}
	return evidence.RecordKey{Wave: wave, Account: parts[0], Region: parts[1], Resource: parts[2]}, nil
}
