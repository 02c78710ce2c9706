package evidence

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
)

// Signer makes and checks the signature of journal records. Key is the signer whose secret is in this process; a
// service that keeps the secret to itself fits as well, since only a SHA-256 digest of 32 bytes is handed over.
type Signer interface {
	// KeyID names the key without telling anything about its secret.
	KeyID() string
	// Sign returns the authentication code of a digest.
	Sign(ctx context.Context, digest []byte) ([]byte, error)
	// Verify reports whether signature belongs to digest. An error means that the question could not be answered.
	Verify(ctx context.Context, digest, signature []byte) (bool, error)
}

// minSecret is HMAC-SHA256's output length; RFC 2104 advises against keys shorter than that.
const minSecret = sha256.Size

// Key signs with HMAC-SHA256. It never shows its secret: printed, logged or encoded it is its ID.
type Key struct {
	id     string
	secret []byte
}

// NewKey makes a key of a secret of at least 32 bytes. The ID is a fingerprint: equal secrets have equal IDs.
func NewKey(secret []byte) (*Key, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf(
			"evidence: the journal key has %d bytes and needs at least %d; make one with `openssl rand -hex 32`", len(secret),
			minSecret,
		)
	}
	fingerprint := sha256.Sum256(append([]byte("patchtide journal key\n"), secret...))
	return &Key{id: hex.EncodeToString(fingerprint[:8]), secret: append([]byte(nil), secret...)}, nil
}

// GenerateKey makes a random key for a laboratory. It dies with the process, and with it the proof of what it signed.
func GenerateKey() *Key {
	secret := make([]byte, minSecret)
	_, _ = rand.Read(secret) // never fails: the runtime ends the process instead
	key, err := NewKey(secret)
	if err != nil {
		panic(err) // unreachable: the length is right above
	}
	return key
}

// KeyID returns the fingerprint of the secret.
func (k *Key) KeyID() string { return k.id }

// Sign returns HMAC-SHA256(secret, digest).
func (k *Key) Sign(_ context.Context, digest []byte) ([]byte, error) {
	if k == nil || len(k.secret) == 0 {
		return nil, errors.New("evidence: the journal key is empty; set journal_key_from")
	}
	code := hmac.New(sha256.New, k.secret)
	code.Write(digest)
	return code.Sum(nil), nil
}

// Verify compares in constant time.
func (k *Key) Verify(ctx context.Context, digest, signature []byte) (bool, error) {
	expected, err := k.Sign(ctx, digest)
	if err != nil {
		return false, err
	}
	return hmac.Equal(expected, signature), nil
}

// String returns the ID in place of the secret.
func (k *Key) String() string { return "journal key " + k.id }

// GoString keeps %#v from printing the secret.
func (k *Key) GoString() string { return k.String() }

// Format keeps every verb, %x and %v of a dereferenced key included, from printing the secret.
func (k Key) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, "journal key "+k.id) }

// MarshalText keeps JSON and YAML from holding the secret, whatever holds the key.
func (k *Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue keeps structured logs from printing the secret.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
