package evidence

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// probeObject is the one document that Probe writes, always the same.
const probeObject = "doctor.json"

// Probe proves that the store can be written and read: it writes a small document and reads it back. The document
// stays, and the next Probe replaces it.
func (s *Store) Probe(ctx context.Context, at time.Time) error {
	content, err := document2JSON(
		map[string]string{"written_at": at.UTC().Format(time.RFC3339Nano), "by": "patchtide doctor"},
	)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	if err := s.place.replace(ctx, probeObject, content); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	read, err := s.place.read(ctx, probeObject)
	switch {
	case err != nil:
		return fmt.Errorf("evidence: read back %s: %w", probeObject, err)
	case !bytes.Equal(read, content):
		return fmt.Errorf("evidence: %s reads as something else than was just written", probeObject)
	}
	return nil
}
