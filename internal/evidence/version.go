package evidence

import (
	"context"
	"fmt"
)

// ProvenVersion is GetWave once the newest version of the document is signed, and tells its number, for PutVersion.
// Those before it are not read: of a document that many change for years there are hundreds, and the oldest may have
// expired.
// That each follows the one before is asked by `patchtide evidence verify`. An *InvalidWaveError says that it is not
// signed.
func (s *Store) ProvenVersion(ctx context.Context, id string, into any) (int, error) {
	if s.signer == nil {
		return 0, errNoKey
	}
	folder, numbers, err := s.versionsOf(ctx, id)
	if err != nil {
		return 0, err
	}
	number := numbers[len(numbers)-1]
	name := historyObject(folder, number)
	content, err := s.place.read(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("evidence: read %s: %w", name, err)
	}
	newest, reason, err := s.verifyWave(ctx, content, id, number)
	switch {
	case err != nil:
		return 0, fmt.Errorf("evidence: verify %s: %w", name, err)
	case reason != "":
		return 0, &InvalidWaveError{Name: name, Reason: reason}
	}
	return number, newest.decode(into)
}

// versionsOf are the numbers of a document's versions, of which there is one at least.
func (s *Store) versionsOf(ctx context.Context, id string) (folder string, numbers []int, err error) {
	if folder, err = waveFolder(id); err != nil {
		return "", nil, err
	}
	if numbers, _, err = s.waveVersions(ctx, folder); err != nil {
		return "", nil, fmt.Errorf("evidence: find wave %s: %w", id, err)
	}
	if len(numbers) == 0 {
		return "", nil, &NotFoundError{Name: "document of wave " + id}
	}
	return folder, numbers, nil
}

// PutVersion is PutWave for a document that many change: it is written as the version behind the one that was read, 0
// for none. Where somebody else has written that one meanwhile it is a *ConflictError: read again and decide again.
func (s *Store) PutVersion(ctx context.Context, id string, read int, document any) error {
	folder, plain, err := s.toPut(id, document)
	if err != nil {
		return err
	}
	if err := s.putWave(ctx, folder, id, plain, read); err != nil {
		return fmt.Errorf("evidence: put wave %s: %w", id, err)
	}
	return nil
}
