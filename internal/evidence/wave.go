package evidence

import (
	"bytes"
	"context"
	"crypto/rand"
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
	where  string   // the location, as it was opened
	signer Signer   // signs what is written
	older  []Signer // prove what was signed before
}

// Close releases the place.
func (s *Store) Close() error { return s.place.close() }

// attempts bounds how often a write starts over because somebody else was quicker. One wave has one writer at a time,
// so a second round is rare and a fifth means that something is wrong.
const attempts = 5

const waveFormat = "patchtide.wave/1"

// signedWave is the stored form of one version of a wave's document. Everything but the signature is signed.
type signedWave struct {
	Format    string          `json:"format"`
	Wave      string          `json:"wave"` // its id
	Sequence  int             `json:"sequence"`
	Previous  string          `json:"previous,omitempty"` // SHA-256 of the version before; see sumOf
	Writer    string          `json:"writer"`             // random, one per write
	Document  json.RawMessage `json:"document"`
	Signature *signature      `json:"signature,omitempty"`
}

// PutWave writes a wave's document. Every document that differs from the one before is kept as a new version, signed
// and with the sum of that one; writing the same one again changes nothing. The wave's workflow ID is its id. What is
// before it may be altered or unsigned: that keeps nobody from writing, and is for ProvenWave and Verify to find.
func (s *Store) PutWave(ctx context.Context, id string, document any) error {
	folder, plain, err := s.toPut(id, document)
	if err != nil {
		return err
	}
	for range attempts {
		if err = s.putWave(ctx, folder, id, plain, anyVersion); !isConflict(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("evidence: put wave %s: %w", id, err)
	}
	return nil
}

// toPut is where a wave's document goes, and its content.
func (s *Store) toPut(id string, document any) (folder string, plain []byte, err error) {
	if s.signer == nil {
		return "", nil, errNoKey
	}
	if folder, err = waveFolder(id); err != nil {
		return "", nil, err
	}
	if plain, err = canonicalOf(document); err != nil {
		return "", nil, fmt.Errorf("evidence: the document of wave %s %w", id, err)
	}
	return folder, plain, nil
}

// anyVersion is for a writer who does not mind what was written before.
const anyVersion = -1

// putWave writes a document behind the version that was read; somebody else's behind that is a *ConflictError.
func (s *Store) putWave(ctx context.Context, folder, id string, document []byte, read int) error {
	latest, number, err := s.latestWave(ctx, folder)
	if err != nil && !errors.Is(err, errMissing) {
		return err
	}
	if read != anyVersion && read != number {
		return &ConflictError{Name: historyObject(folder, read+1)}
	}
	next := signedWave{Format: waveFormat, Wave: id, Sequence: number + 1, Writer: rand.Text(), Document: document}
	said := false
	if number > 0 {
		next.Previous = sumOf(latest)
		before, reason, err := s.verifyWave(ctx, latest, id, number)
		if err != nil {
			return err
		}
		said = reason == "" && bytes.Equal(before.Document, document)
	}
	if !said {
		if next.Signature, err = s.sign(ctx, waveFormat, next); err != nil {
			return fmt.Errorf("sign version %d: %w", next.Sequence, err)
		}
		content, err := document2JSON(next)
		if err != nil {
			return err
		}
		if err := createOnce(ctx, s.place, historyObject(folder, next.Sequence), content); err != nil {
			return err
		}
	}
	// The copy for people is written even when nothing is new: the process may have died between the two writes.
	content, err := readable(document)
	if err != nil {
		return err
	}
	return s.place.replace(ctx, folder+"wave.json", content)
}

// GetWave decodes the newest document of a wave, to be shown or counted, into the value that into points at. It needs
// no key and proves nothing: who acts by a document asks ProvenWave. A wave without one is a *NotFoundError.
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
	var stored signedWave
	if err := json.Unmarshal(content, &stored); err != nil || stored.Format != waveFormat {
		return fmt.Errorf("evidence: the document of wave %s is not of the form %s", id, waveFormat)
	}
	return stored.decode(into)
}

// ProvenWave is GetWave once every version of the document, from the first, is signed and follows the one before it. An
// *InvalidWaveError names the first version that does not.
func (s *Store) ProvenWave(ctx context.Context, id string, into any) error {
	if s.signer == nil {
		return errNoKey
	}
	folder, numbers, err := s.versionsOf(ctx, id)
	if err != nil {
		return err
	}
	newest, _, wrong, err := s.followWave(ctx, folder, id, numbers)
	switch {
	case err != nil:
		return fmt.Errorf("evidence: read wave %s: %w", id, err)
	case len(wrong) > 0:
		return &InvalidWaveError{Name: wrong[0].Object, Reason: wrong[0].Problem}
	}
	return newest.decode(into)
}

func (w signedWave) decode(into any) error {
	if err := json.Unmarshal(w.Document, into); err != nil {
		return fmt.Errorf("evidence: the document of wave %s does not fit: %w", w.Wave, err)
	}
	return nil
}

// followWave reads and verifies the versions from the first to the highest of the numbers, and tells what is wrong, by
// object. The newest counts only where nothing is.
func (s *Store) followWave(
	ctx context.Context, folder, id string, numbers []int,
) (newest signedWave, read int, wrong []Finding, err error) {
	highest := numbers[len(numbers)-1]
	previous, known := "", true
	for number := 1; number <= highest; number++ {
		name := historyObject(folder, number)
		content, err := s.place.read(ctx, name)
		if errors.Is(err, errMissing) {
			wrong = append(wrong, Finding{name, isMissing})
			known = false
			continue
		}
		if err != nil {
			return newest, read, nil, err
		}
		read++
		stored, reason, err := s.verifyWave(ctx, content, id, number)
		switch {
		case err != nil:
			return newest, read, nil, err
		case reason == "" && known && stored.Previous != previous:
			reason = forks
		}
		if reason != "" {
			wrong = append(wrong, Finding{name, reason})
		}
		newest, previous, known = stored, sumOf(content), reason == "" || reason == forks
	}
	return newest, read, wrong, nil
}

// verifyWave decodes a version and returns why it cannot be trusted, or "". An error means that nobody knows.
func (s *Store) verifyWave(ctx context.Context, content []byte, id string, number int) (signedWave, string, error) {
	plain, err := canonical(content)
	if err != nil {
		return signedWave{}, err.Error(), nil
	}
	var stored signedWave
	if err := json.Unmarshal(plain, &stored); err != nil {
		return signedWave{}, "is not of the form of a wave's document", nil
	}
	if stored.Format != waveFormat {
		return signedWave{}, fmt.Sprintf("is not signed: it has the format %q, and this version reads %q", stored.Format,
			waveFormat), nil
	}
	unsigned := stored
	unsigned.Signature = nil
	reason, err := s.unproven(ctx, waveFormat, unsigned, stored.Signature)
	switch {
	case err != nil || reason != "":
		return signedWave{}, reason, err
	case stored.Wave != id || stored.Sequence != number:
		return signedWave{}, fmt.Sprintf("was moved: it was written as version %d of %s", stored.Sequence, stored.Wave), nil
	}
	return stored, "", nil
}

// sumOf is the SHA-256 of a version in its canonical form, its signature included; of what is no JSON, of its bytes.
func sumOf(content []byte) string {
	if plain, err := canonical(content); err == nil {
		content = plain
	}
	return hashOf(content)
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
	numbers, _, err := s.waveVersions(ctx, folder)
	if err != nil {
		return nil, 0, err
	}
	if len(numbers) == 0 {
		return nil, 0, errMissing
	}
	highest := numbers[len(numbers)-1]
	content, err := s.place.read(ctx, historyObject(folder, highest))
	return content, highest, err
}

// waveVersions lists the numbers of a document's versions, ascending, and what else lies beside them.
func (s *Store) waveVersions(ctx context.Context, folder string) (numbers []int, others []string, err error) {
	names, err := s.place.list(ctx, folder+"history/")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		number, err := strconv.Atoi(strings.TrimSuffix(name, ".json"))
		if err == nil && number > 0 && historyObject("", number) == "history/"+name {
			numbers = append(numbers, number)
		} else {
			others = append(others, folder+"history/"+name)
		}
	}
	sort.Ints(numbers)
	return numbers, others, nil
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
