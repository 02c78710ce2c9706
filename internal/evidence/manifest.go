package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// What a wave has proved binds its later stages: waves/WAVE/manifests/HASH.json. The hash goes the way of the wave
// itself, so that the object needs no signature.

var hashShape = regexp.MustCompile(`^[0-9a-f]{64}$`)

func manifestObject(wave, sha256 string) (string, error) {
	folder, err := waveFolder(wave)
	if err == nil && !hashShape.MatchString(sha256) {
		err = fmt.Errorf("evidence: a manifest of wave %s has no SHA-256 for its name: %q", wave, sha256)
	}
	return folder + "manifests/" + sha256 + ".json", err
}

// PutManifest writes a manifest of a wave under its own SHA-256, in hexadecimal, and returns that.
func (s *Store) PutManifest(ctx context.Context, wave string, document any) (string, error) {
	content, err := document2JSON(document)
	if err != nil {
		return "", fmt.Errorf("evidence: the manifest of wave %s %w", wave, err)
	}
	sum := hashOf(content)
	name, err := manifestObject(wave, sum)
	if err != nil {
		return "", err
	}
	if err := s.place.create(ctx, name, content); err != nil && !errors.Is(err, errTaken) {
		return "", fmt.Errorf("evidence: put the manifest of wave %s: %w", wave, err)
	}
	return sum, nil
}

// GetManifest reads a wave's manifest. It is an *InvalidRecordError where the object does not have the hash that it is
// named by, and a *NotFoundError where there is none.
func (s *Store) GetManifest(ctx context.Context, wave, sha256 string) (json.RawMessage, error) {
	name, err := manifestObject(wave, sha256)
	if err != nil {
		return nil, err
	}
	content, err := s.place.read(ctx, name)
	switch {
	case errors.Is(err, errMissing):
		return nil, &NotFoundError{Name: "manifest " + sha256 + " of wave " + wave}
	case err != nil:
		return nil, fmt.Errorf("evidence: get the manifest of wave %s: %w", wave, err)
	case hashOf(content) != sha256:
		return nil, &InvalidRecordError{Name: name, Reason: "does not have the hash that it is named by"}
	}
	return content, nil
}

// Lists keeps lists of packages where machines read them: HASH.yaml below a bucket.
type Lists struct {
	place objects
	where string
}

// OpenLists opens the place of lists, as Open does with that of evidence; machines read s3:// only.
func OpenLists(ctx context.Context, location string, options Options) (*Lists, error) {
	if IsLocal(location) {
		return nil, fmt.Errorf("lists of packages: %s: machines read them from a bucket: write s3://bucket/prefix",
			redacted(location))
	}
	place, err := open(ctx, location, options)
	if err != nil {
		return nil, fmt.Errorf("lists of packages: %s: %w", redacted(location), err)
	}
	return &Lists{place: place, where: strings.TrimRight(location, "/")}, nil
}

// PutList writes a list under its own SHA-256 and returns its URL.
func (l *Lists) PutList(ctx context.Context, content []byte) (string, error) {
	name := hashOf(content) + ".yaml"
	if err := l.place.create(ctx, name, content); err != nil && !errors.Is(err, errTaken) {
		return "", fmt.Errorf("lists of packages: %w", err)
	}
	return l.where + "/" + name, nil
}

// Close closes the place.
func (l *Lists) Close() error { return l.place.close() }
