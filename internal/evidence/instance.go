package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
)

// What was done to one instance may be long and is looked at seldom, so it is an object of its own:
// waves/WAVE/instances/ID.json. Only the latest is kept; its hash stands in the wave's document.

var instanceShape = regexp.MustCompile(`^m?i-[0-9A-Za-z]+$`)

func instanceObject(wave, instance string) (string, error) {
	folder, err := waveFolder(wave)
	if err == nil && !instanceShape.MatchString(instance) {
		err = fmt.Errorf("evidence: instance %q of wave %s is not of the form %q", instance, wave, "i-0123456789abcdef0")
	}
	return folder + "instances/" + instance + ".json", err
}

// PutInstance writes what a wave did to an instance in the place of what was there, and returns the SHA-256 of what it
// wrote, in hexadecimal.
func (s *Store) PutInstance(ctx context.Context, wave, instance string, document any) (string, error) {
	name, err := instanceObject(wave, instance)
	if err != nil {
		return "", err
	}
	content, err := document2JSON(document)
	if err != nil {
		return "", fmt.Errorf("evidence: the document of instance %s of wave %s %w", instance, wave, err)
	}
	if err := s.place.replace(ctx, name, content); err != nil {
		return "", fmt.Errorf("evidence: put instance %s of wave %s: %w", instance, wave, err)
	}
	return hashOf(content), nil
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
