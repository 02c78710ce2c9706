package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// signature is the last part of whatever is signed.
type signature struct {
	Algorithm string `json:"algorithm"`
	KeyID     string `json:"key_id"`
	Value     string `json:"value"` // base64
}

const algorithm = "HMAC-SHA256"

// sign signs, with the newest key, a document of a format; unsigned is all of it but the signature.
func (s *Store) sign(ctx context.Context, format string, unsigned any) (*signature, error) {
	digest, err := digestOf(format, unsigned)
	if err != nil {
		return nil, err
	}
	code, err := s.signer.Sign(ctx, digest)
	if err != nil {
		return nil, err
	}
	return &signature{
		Algorithm: algorithm, KeyID: s.signer.KeyID(), Value: base64.StdEncoding.EncodeToString(code),
	}, nil
}

// unproven is why a signature does not prove a document, or "". An error means that nobody knows: the key's service did
// not answer.
func (s *Store) unproven(ctx context.Context, format string, unsigned any, signed *signature) (string, error) {
	switch {
	case signed == nil || signed.Value == "":
		return "is not signed", nil
	case signed.Algorithm != algorithm:
		return fmt.Sprintf("is signed by %q and not by %s", signed.Algorithm, algorithm), nil
	}
	signer := s.signerOf(signed.KeyID)
	if signer == nil {
		return fmt.Sprintf("is signed with key %q, and the keys here are %s; if it is an earlier journal key, name where it "+
			"is kept in journal_older_keys_from", signed.KeyID, s.keyIDs()), nil
	}
	code, err := base64.StdEncoding.DecodeString(signed.Value)
	if err != nil {
		return "has a signature that is not base64", nil
	}
	digest, err := digestOf(format, unsigned)
	if err != nil {
		return err.Error(), nil
	}
	switch ok, err := signer.Verify(ctx, digest, code); {
	case err != nil:
		return "", err
	case !ok:
		return "was altered: its signature does not match", nil
	}
	return "", nil
}

// signerOf is the key of the ring with that id; nil for none.
func (s *Store) signerOf(keyID string) Signer {
	for _, signer := range append([]Signer{s.signer}, s.older...) {
		if signer.KeyID() == keyID {
			return signer
		}
	}
	return nil
}

// keyIDs names the ring's keys, the newest first.
func (s *Store) keyIDs() string {
	ids := []string{s.signer.KeyID()}
	for _, signer := range s.older {
		ids = append(ids, signer.KeyID())
	}
	return strings.Join(ids, ", ")
}

// digestOf is what is signed: SHA-256 over the format's name and the canonical JSON of everything but the signature.
func digestOf(format string, unsigned any) ([]byte, error) {
	plain, err := canonicalOf(unsigned)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(format+"\n"), plain...))
	return sum[:], nil
}
