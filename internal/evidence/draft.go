package evidence

import (
	"context"
	"errors"
	"fmt"
)

// A wave's document may be larger than what one activity can be handed: it is handed over in pages, which lie in
// waves/WAVE/draft until it is whole. Whoever handed them over knows each page's hash; nobody else reads them.

func draftObject(wave string, page int) (string, error) {
	folder, err := waveFolder(wave)
	return fmt.Sprintf("%sdraft/%06d", folder, page), err
}

// PutDraft writes a page of a wave's document that is not whole yet, in the place of an earlier one.
func (s *Store) PutDraft(ctx context.Context, wave string, page int, content []byte) error {
	name, err := draftObject(wave, page)
	if err != nil {
		return err
	}
	if err := s.place.replace(ctx, name, content); err != nil {
		return fmt.Errorf("evidence: put page %d of wave %s: %w", page, wave, err)
	}
	return nil
}

// GetDraft reads such a page; one that is not there is a *NotFoundError.
func (s *Store) GetDraft(ctx context.Context, wave string, page int) ([]byte, error) {
	name, err := draftObject(wave, page)
	if err != nil {
		return nil, err
	}
	content, err := s.place.read(ctx, name)
	switch {
	case errors.Is(err, errMissing):
		return nil, &NotFoundError{Name: fmt.Sprintf("page %d of wave %s", page, wave)}
	case err != nil:
		return nil, fmt.Errorf("evidence: get page %d of wave %s: %w", page, wave, err)
	}
	return content, nil
}
