package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Store is a place for evidence, opened by Open. It holds no state between calls, so any number of processes may use
// the same place.
type Store struct {
	place  objects
	signer Signer   // signs what is written
	older  []Signer // prove what was signed before
}

// Close releases the place.
func (s *Store) Close() error { return s.place.close() }

// attempts bounds how often a write starts over because somebody else was quicker. One wave has one writer at a time,
// so a second round is rare and a fifth means that something is wrong.
const attempts = 5

// PutWave writes a wave's document. Every document that differs from the one before is kept as a new version and the
// last one counts; writing the same one again changes nothing. The wave's workflow ID is its id.
func (s *Store) PutWave(ctx context.Context, id string, document any) error {
	folder, err := waveFolder(id)
	if err != nil {
		return err
	}
	content, err := document2JSON(document)
	if err != nil {
		return fmt.Errorf("evidence: the document of wave %s %w", id, err)
	}
	for range attempts {
		if err = s.putWave(ctx, folder, content); !isConflict(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("evidence: put wave %s: %w", id, err)
	}
	return nil
}

func (s *Store) putWave(ctx context.Context, folder string, content []byte) error {
	latest, number, err := s.latestWave(ctx, folder)
	if err != nil && !errors.Is(err, errMissing) {
		return err
	}
	if !bytes.Equal(latest, content) {
		if err := createOnce(ctx, s.place, historyObject(folder, number+1), content); err != nil {
			return err
		}
	}
	// The copy for people is written even when nothing is new: the process may have died between the two writes.
	return s.place.replace(ctx, folder+"wave.json", content)
}

// GetWave decodes the newest document of a wave into the value that into points at. A wave without one is a
// *NotFoundError.
func (s *Store) GetWave(ctx context.Context, id string, into any) error {
	folder, err := waveFolder(id)
	if err != nil {
		return err
	}
	content, _, err := s.latestWave(ctx, folder)
	switch {
	case errors.Is(err, errMissing):
		return &NotFoundError{Name: "document of wave " + id}
	case err != nil:
		return fmt.Errorf("evidence: get wave %s: %w", id, err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("evidence: the document of wave %s does not fit: %w", id, err)
	}
	return nil
}

// ListWaves returns the IDs of all waves that left evidence, a journal without a document included, sorted.
func (s *Store) ListWaves(ctx context.Context) ([]string, error) {
	names, err := s.place.list(ctx, wavesFolder)
	if err != nil {
		return nil, fmt.Errorf("evidence: list waves: %w", err)
	}
	ids := []string{}
	for _, name := range names {
		segment, isFolder := strings.CutSuffix(name, "/")
		// What we did not name is not ours: a person may keep a note beside the waves.
		if id, ok := unescape(segment); isFolder && ok {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids, nil
}

// latestWave returns the newest version and its number, or errMissing and 0.
func (s *Store) latestWave(ctx context.Context, folder string) ([]byte, int, error) {
	names, err := s.place.list(ctx, folder+"history/")
	if err != nil {
		return nil, 0, err
	}
	highest := 0
	for _, name := range names {
		number, err := strconv.Atoi(strings.TrimSuffix(name, ".json"))
		if err == nil && historyObject("", number) == "history/"+name {
			highest = max(highest, number)
		}
	}
	if highest == 0 {
		return nil, 0, errMissing
	}
	content, err := s.place.read(ctx, historyObject(folder, highest))
	return content, highest, err
}

// document2JSON returns the stored form of a document: keys in a fixed order, laid out for people.
func document2JSON(document any) ([]byte, error) {
	plain, err := canonicalOf(document)
	if err != nil {
		return nil, err
	}
	return readable(plain)
}

func isConflict(err error) bool {
	var conflict *ConflictError
	return errors.As(err, &conflict)
}
