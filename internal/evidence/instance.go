package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// What was done to one instance may be long and is looked at seldom, so it is an object of its own:
// waves/WAVE/instances/ID.json. Only the latest is kept; its hash stands in the wave's document.

var instanceShape = regexp.MustCompile(`^m?i-[0-9A-Za-z]+$`)

func instanceObject(wave, instance string) (string, error) {
	folder, err := instancesOf(wave)
	if err == nil && !instanceShape.MatchString(instance) {
		err = fmt.Errorf("evidence: instance %q of wave %s is not of the form %q", instance, wave, "i-0123456789abcdef0")
	}
	return folder + instance + ".json", err
}

func instancesOf(wave string) (string, error) {
	folder, err := waveFolder(wave)
	return folder + "instances/", err
}

// ListInstances gives the ids of the instances of which a wave wrote what it did to them, sorted.
func (s *Store) ListInstances(ctx context.Context, wave string) ([]string, error) {
	folder, err := instancesOf(wave)
	if err != nil {
		return nil, err
	}
	names, err := s.place.list(ctx, folder)
	if err != nil {
		return nil, fmt.Errorf("evidence: list the instances of wave %s: %w", wave, err)
	}
	ids := []string{}
	for _, name := range names {
		if id, is := strings.CutSuffix(name, ".json"); is && instanceShape.MatchString(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// GetInstance decodes what a wave did to an instance, to be shown, into the value that into points at. It proves
// nothing: its hash stands in the wave's document. Of an instance that has none it is a *NotFoundError.
func (s *Store) GetInstance(ctx context.Context, wave, instance string, into any) error {
	name, err := instanceObject(wave, instance)
	if err != nil {
		return err
	}
	content, err := s.place.read(ctx, name)
	switch {
	case errors.Is(err, errMissing):
		return &NotFoundError{Name: "document of instance " + instance + " of wave " + wave}
	case err == nil:
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		return fmt.Errorf("evidence: get instance %s of wave %s: %w", instance, wave, err)
	}
	return nil
}

// instancesAtOnce bounds the documents that are read at the same time: one may have a few hundred KB.
const instancesAtOnce = 16

type instanceReader interface {
	GetInstance(ctx context.Context, wave, instance string, into any) error
}

// ReadInstances decodes what a wave did to several instances, as GetInstance does, in the order asked. One that has
// none is left out: somebody deleted it meanwhile.
func ReadInstances[T any](ctx context.Context, s instanceReader, wave string, instances []string) ([]T, error) {
	all := make([]*T, len(instances))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(instancesAtOnce)
	for i, id := range instances {
		reads.Go(func() error {
			read := new(T)
			err := s.GetInstance(readCtx, wave, id, read)
			var missing *NotFoundError
			if errors.As(err, &missing) {
				return nil
			}
			all[i] = read
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	found := make([]T, 0, len(all))
	for _, read := range all {
		if read != nil {
			found = append(found, *read)
		}
	}
	return found, nil
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
