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

const instanceFormat = "patchtide.instance/1"

// signedInstance is the stored form of what a wave did to an instance. Everything but the signature is signed.
type signedInstance struct {
	Format    string          `json:"format"`
	Wave      string          `json:"wave"`
	Instance  string          `json:"instance"`
	Document  json.RawMessage `json:"document"`
	Signature *signature      `json:"signature,omitempty"`
}

// GetInstance decodes what a wave did to an instance, to be shown, into the value that into points at. It needs no key
// and proves nothing: who acts by a document asks ProvenInstance. Of an instance that has none it is a *NotFoundError.
func (s *Store) GetInstance(ctx context.Context, wave, instance string, into any) error {
	content, err := s.readInstance(ctx, wave, instance)
	if err != nil {
		return err
	}
	var stored signedInstance
	if err := json.Unmarshal(content, &stored); err != nil || stored.Format != instanceFormat {
		return fmt.Errorf("evidence: the document of instance %s of wave %s is not of the form %s", instance, wave,
			instanceFormat)
	}
	return stored.decode(into)
}

// ProvenInstance is GetInstance once the document is signed, for that wave and instance. An *InvalidInstanceError says
// what is wrong.
func (s *Store) ProvenInstance(ctx context.Context, wave, instance string, into any) error {
	if s.signer == nil {
		return errNoKey
	}
	content, err := s.readInstance(ctx, wave, instance)
	if err != nil {
		return err
	}
	stored, reason, err := s.verifyInstance(ctx, content, wave, instance)
	switch {
	case err != nil:
		return fmt.Errorf("evidence: prove instance %s of wave %s: %w", instance, wave, err)
	case reason != "":
		return &InvalidInstanceError{Wave: wave, Instance: instance, Reason: reason}
	}
	return stored.decode(into)
}

// verifyInstance decodes a document and returns why it cannot be trusted, or "". An error means that nobody knows.
func (s *Store) verifyInstance(
	ctx context.Context, content []byte, wave, instance string,
) (stored signedInstance, reason string, err error) {
	plain, err := canonical(content)
	if err != nil {
		return signedInstance{}, err.Error(), nil
	}
	if json.Unmarshal(plain, &stored) != nil || stored.Format != instanceFormat {
		return signedInstance{}, "is not of the form " + instanceFormat, nil
	}
	unsigned := stored
	unsigned.Signature = nil
	reason, err = s.unproven(ctx, instanceFormat, unsigned, stored.Signature)
	if reason == "" && (stored.Wave != wave || stored.Instance != instance) {
		reason = "was moved: it was written of " + stored.Instance + " of " + stored.Wave
	}
	return stored, reason, err
}

func (s *Store) readInstance(ctx context.Context, wave, instance string) ([]byte, error) {
	name, err := instanceObject(wave, instance)
	if err != nil {
		return nil, err
	}
	content, err := s.place.read(ctx, name)
	switch {
	case errors.Is(err, errMissing):
		return nil, &NotFoundError{Name: "document of instance " + instance + " of wave " + wave}
	case err != nil:
		return nil, fmt.Errorf("evidence: get instance %s of wave %s: %w", instance, wave, err)
	}
	return content, nil
}

func (i signedInstance) decode(into any) error {
	if err := json.Unmarshal(i.Document, into); err != nil {
		return fmt.Errorf("evidence: the document of instance %s of wave %s does not fit: %w", i.Instance, i.Wave, err)
	}
	return nil
}

// instancesAtOnce bounds the documents that are read at the same time: one may have a few hundred KB.
const instancesAtOnce = 16

// ReadInstances decodes what a wave did to several instances, each by get, in the order asked: GetInstance or
// ProvenInstance. One that has none is left out: somebody deleted it meanwhile.
func ReadInstances[T any](
	ctx context.Context, get func(ctx context.Context, wave, instance string, into any) error, wave string,
	instances []string,
) ([]T, error) {
	all := make([]*T, len(instances))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(instancesAtOnce)
	for i, id := range instances {
		reads.Go(func() error {
			read := new(T)
			err := get(readCtx, wave, id, read)
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

// PutInstance writes what a wave did to an instance, signed, in the place of what was there, and returns the SHA-256 of
// what it wrote, in hexadecimal. The same document is written as the same bytes again.
func (s *Store) PutInstance(ctx context.Context, wave, instance string, document any) (string, error) {
	if s.signer == nil {
		return "", errNoKey
	}
	name, err := instanceObject(wave, instance)
	if err != nil {
		return "", err
	}
	plain, err := canonicalOf(document)
	if err != nil {
		return "", fmt.Errorf("evidence: the document of instance %s of wave %s %w", instance, wave, err)
	}
	stored := signedInstance{Format: instanceFormat, Wave: wave, Instance: instance, Document: plain}
	if stored.Signature, err = s.sign(ctx, instanceFormat, stored); err != nil {
		return "", fmt.Errorf("evidence: sign the document of instance %s of wave %s: %w", instance, wave, err)
	}
	content, err := document2JSON(stored)
	if err != nil {
		return "", err
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
