package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Finding is an object of the store that is not as we wrote it.
type Finding struct {
	Object  string `json:"object"`
	Problem string `json:"problem"` // completes a sentence that begins with the object
}

// Verified is what Verify looked at and found.
type Verified struct {
	Waves     int       `json:"waves"`
	Others    int       `json:"others"`    // what is frozen, and what groups left whose wave was gone
	Documents int       `json:"documents"` // versions of the documents of waves and others
	Instances int       `json:"instances"` // documents of instances
	Records   int       `json:"records"`   // versions of journal records
	Findings  []Finding `json:"findings"`
}

const (
	isMissing = "is missing although a later version is there: it was deleted, or a rule of the bucket has expired it"
	forks     = "does not follow the version before it: one of the two was exchanged for another"
	isForeign = "is not named as anything of ours, and nobody reads it"
	isLost    = "is missing although the wave's document names it"
	isAnother = "is not the one that the wave's document names by its SHA-256"
)

// Verify reads all that a wave left, or every wave where it is "", and tells of each object that is altered, unsigned,
// moved, missing or does not follow the one before it. That the newest versions were deleted cannot be seen.
func (s *Store) Verify(ctx context.Context, wave string) (*Verified, error) {
	if s.signer == nil {
		return nil, errNoKey
	}
	result := &Verified{Findings: []Finding{}}
	waves, err := s.ListWaves(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range waves {
		if wave != "" && wave != id {
			continue
		}
		if names.NamesWave(id) {
			result.Waves++
		} else {
			result.Others++
		}
		if err := s.verifyAll(ctx, id, result); err != nil {
			return nil, fmt.Errorf("evidence: verify wave %s: %w", id, err)
		}
	}
	if wave != "" && result.Waves+result.Others == 0 {
		return nil, &NotFoundError{Name: "evidence of wave " + wave}
	}
	return result, nil
}

func (s *Store) verifyAll(ctx context.Context, id string, result *Verified) error {
	folder, err := waveFolder(id)
	if err != nil {
		return err
	}
	instances, err := s.verifyInstances(ctx, id, result)
	if err != nil {
		return err
	}
	if err := s.verifyDocuments(ctx, folder, id, instances, result); err != nil {
		return err
	}
	return s.verifyRecords(ctx, folder, id, result)
}

func (s *Store) verifyDocuments(
	ctx context.Context, folder, id string, instances map[string]string, result *Verified,
) error {
	numbers, others, err := s.waveVersions(ctx, folder)
	if err != nil {
		return err
	}
	for _, name := range others {
		result.Findings = append(result.Findings, Finding{name, isForeign})
	}
	shown, err := s.place.read(ctx, folder+"wave.json")
	if err != nil && !errors.Is(err, errMissing) {
		return err
	}
	if len(numbers) == 0 {
		if err == nil {
			result.Findings = append(result.Findings, Finding{folder + "wave.json", "is a copy for people of a document " +
				"that is not there"})
		}
		return nil
	}
	newest, read, wrong, err := s.followWave(ctx, folder, id, numbers)
	if err != nil {
		return err
	}
	result.Documents += read
	result.Findings = append(result.Findings, wrong...)
	if len(wrong) > 0 {
		return nil
	}
	if copied, err := readable(newest.Document); err != nil || !bytes.Equal(copied, shown) {
		result.Findings = append(result.Findings, Finding{folder + "wave.json", "is not the copy for people of the newest " +
			"version, " + historyObject(folder, newest.Sequence)})
	}
	return s.compareInstances(ctx, newest, instances, result)
}

// detailed is of a wave's document what leads to the documents of its instances.
type detailed struct {
	Status struct {
		State patch.WaveState `json:"state"`
	} `json:"status"`
	Result patch.WaveResult `json:"result"`
}

// verifyInstances judges the documents of a wave's instances, whatever the wave tells of them, and gives the SHA-256 of
// each that is signed for it, and "" for each that is not.
func (s *Store) verifyInstances(ctx context.Context, wave string, result *Verified) (map[string]string, error) {
	ids, err := s.ListInstances(ctx, wave)
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	for _, id := range ids {
		name, err := instanceObject(wave, id)
		if err != nil {
			return nil, err
		}
		content, err := s.place.read(ctx, name)
		if errors.Is(err, errMissing) {
			continue // somebody deleted it meanwhile
		}
		if err != nil {
			return nil, err
		}
		_, reason, err := s.verifyInstance(ctx, content, wave, id)
		if err != nil {
			return nil, err
		}
		result.Instances++
		sums[id] = ""
		if reason == "" {
			sums[id] = hashOf(content)
		} else {
			result.Findings = append(result.Findings, Finding{name, reason})
		}
	}
	return sums, nil
}

// compareInstances compares the documents of instances with what a proven wave's document says of them. Of a wave that
// has not closed they may be newer than it: its groups write them, and it tells of them later. What a group left beside
// its wave names that wave's.
func (s *Store) compareInstances(
	ctx context.Context, proven signedWave, sums map[string]string, result *Verified,
) error {
	var wave detailed
	if json.Unmarshal(proven.Document, &wave) != nil || wave.Status.State != "" &&
		wave.Status.State != patch.StateClosed {
		return nil // what is no wave's document names none
	}
	if of := wave.Result.WaveID; of != "" && of != proven.Wave {
		var err error
		if sums, err = s.verifyInstances(ctx, of, &Verified{}); err != nil { // that wave itself tells what is wrong
			return err
		}
	}
	for _, stage := range wave.Result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				if instance.Details == "" {
					continue
				}
				name, err := instanceObject(wave.Result.WaveID, instance.ID)
				if err != nil {
					return err
				}
				switch sum, there := sums[instance.ID]; {
				case !there:
					result.Findings = append(result.Findings, Finding{name, isLost})
				case sum != "" && sum != instance.Details: // what is not signed is a finding already
					result.Findings = append(result.Findings, Finding{name, isAnother})
				}
			}
		}
	}
	return nil
}

func (s *Store) verifyRecords(ctx context.Context, folder, id string, result *Verified) error {
	keys, versions, others, err := s.versions(ctx, folder, id)
	if err != nil {
		return err
	}
	for _, name := range others {
		result.Findings = append(result.Findings, Finding{name, isForeign})
	}
	for _, key := range keys {
		previous, known := "", true
		numbers := versions[key]
		for number := 1; number <= numbers[len(numbers)-1]; number++ {
			stored, err := s.readVersion(ctx, folder, key, number)
			var invalid *InvalidRecordError
			switch {
			case errors.As(err, &invalid):
				reason := invalid.Reason
				if reason == isGone {
					reason = isMissing
				} else {
					result.Records++
				}
				result.Findings = append(result.Findings, Finding{invalid.Name, reason})
				known = false
				continue
			case err != nil:
				return err
			case known && stored.Previous != previous:
				result.Findings = append(result.Findings, Finding{journalObject(folder, key, number), forks})
			}
			result.Records++
			previous, known = stored.Signature.Value, true
		}
	}
	return nil
}
