package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// ToldNotice is what the store keeps of a notice that was sent on a channel.
type ToldNotice struct {
	Version int          `json:"version"` // of this document's shape: 1
	Channel string       `json:"channel"`
	SentAt  time.Time    `json:"sent_at"`
	Notice  patch.Notice `json:"notice"`
}

// Told reports whether MarkTold was called for the notice's key and the channel.
func (s *Store) Told(ctx context.Context, notice patch.Notice, channel string) (bool, error) {
	_, err := s.place.read(ctx, noticeObject(notice, channel))
	switch {
	case errors.Is(err, errMissing):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("evidence: look for notice %s: %w", notice.Key, err)
	}
	return true, nil
}

// MarkTold keeps that a notice was sent on a channel; the first time counts.
func (s *Store) MarkTold(ctx context.Context, notice patch.Notice, channel string, at time.Time) error {
	content, err := document2JSON(ToldNotice{Version: 1, Channel: channel, SentAt: at.UTC(), Notice: notice})
	if err != nil {
		return fmt.Errorf("evidence: notice %s %w", notice.Key, err)
	}
	if err := s.place.create(ctx, noticeObject(notice, channel), content); err != nil && !errors.Is(err, errTaken) {
		return fmt.Errorf("evidence: keep notice %s: %w", notice.Key, err)
	}
	return nil
}

// noticeObject names a notice's document by its day, so that a bucket's rules may expire them by prefix, and by the
// digest of key and channel, which may be longer than a file's name.
func noticeObject(notice patch.Notice, channel string) string {
	sum := sha256.Sum256([]byte(notice.Key + "\x00" + channel))
	return fmt.Sprintf(
		"notices/%s/%s-%s.json", notice.At.UTC().Format(time.DateOnly), notice.Kind, hex.EncodeToString(sum[:16]),
	)
}
