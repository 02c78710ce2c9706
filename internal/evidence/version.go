package evidence

import (
	"context"
	"fmt"
)

// ProvenVersion is ProvenWave, and tells the number of the version that it read, for PutVersion.
func (s *Store) ProvenVersion(ctx context.Context, id string, into any) (int, error) {
	if s.signer == nil {
		return 0, errNoKey
	}
	folder, err := waveFolder(id)
	if err != nil {
		return 0, err
	}
	numbers, _, err := s.waveVersions(ctx, folder)
	if err != nil {
		return 0, fmt.Errorf("evidence: find wave %s: %w", id, err)
	}
	if len(numbers) == 0 {
		return 0, &NotFoundError{Name: "document of wave " + id}
	}
	newest, _, wrong, err := s.followWave(ctx, folder, id, numbers)
	switch {
	case err != nil:
		return 0, fmt.Errorf("evidence: read wave %s: %w", id, err)
	case len(wrong) > 0:
		return 0, &InvalidWaveError{Name: wrong[0].Object, Reason: wrong[0].Problem}
	}
	return newest.Sequence, newest.decode(into)
}

// PutVersion is PutWave for a document that many change: it is written as the version behind the one that was read, 0
// for none. Where somebody else has written that one meanwhile it is a *ConflictError: read again and decide again.
func (s *Store) PutVersion(ctx context.Context, id string, read int, document any) error {
	if s.signer == nil {
		return errNoKey
	}
	folder, err := waveFolder(id)
	if err != nil {
		return err
	}
	plain, err := canonicalOf(document)
	if err != nil {
		return fmt.Errorf("evidence: the document of wave %s %w", id, err)
	}
	if err := s.putWave(ctx, folder, id, plain, read); err != nil {
		return fmt.Errorf("evidence: put wave %s: %w", id, err)
	}
	return nil
}
