package journal

import (
	"encoding/json"
	"errors"

	"github.com/patchtide/patchtide/internal/patch"
)

// About is what a record must be about, for whoever is about to act on it: the very resource that carries its pointer.
type About struct {
	WaveID           string
	Place            patch.Place // with the account's name as the configuration has it now
	Instance         string      // "" for a group
	AutoScalingGroup string      // of a group's record; "" is not asked
}

// Decode reads a record whose signature has been verified, and refuses one that does not hold what putting back needs
// or that is about something else. Its errors complete "not touched: ". The record's account has the name that the
// place gives it, which the configuration may have changed since.
func Decode(document json.RawMessage, about About) (Record, error) {
	var record Record
	if err := json.Unmarshal(document, &record); err != nil {
		return record, errors.New("its record cannot be decoded")
	}
	group := record.Group
	switch {
	case !record.complete():
		return record, errors.New("its record lacks what putting back needs")
	case record.WaveID != about.WaveID, record.Instance != about.Instance,
		group.Account.ID != about.Place.Account.ID, group.Region != about.Place.Region,
		about.AutoScalingGroup != "" && group.AutoScalingGroup != about.AutoScalingGroup:
		return record, errors.New("its record is about something else")
	}
	record.Group.Account = about.Place.Account
	return record, nil
}

// DecodeUntold reads a verified record of a wave that may not have told what it did; nil where it is of a group. Its
// error names what cannot be read.
func DecodeUntold(document json.RawMessage, waveID string) (*Record, error) {
	var record Record
	switch {
	case json.Unmarshal(document, &record) != nil:
		return nil, errors.New("a record that cannot be decoded")
	case !record.complete() || record.WaveID != waveID || record.Patched != nil && record.Patched.ID != record.Instance:
		return nil, errors.New(record.Name() + " lacks what putting back needs")
	case record.Instance == "":
		return nil, nil //nolint:nilnil // a group's record tells nothing of instances
	}
	return &record, nil
}

// IsOfRun tells whether a verified record was written by the wave whose first run has that id.
func IsOfRun(document json.RawMessage, run string) bool {
	var record Record
	return json.Unmarshal(document, &record) == nil && record.Policy.Run == run
}

// DecodeOfWave reads a verified record that a wave wrote of a group or of one of its instances.
func DecodeOfWave(document json.RawMessage, waveID string, group patch.Group) (Record, error) {
	var of struct{ Instance string }
	if err := json.Unmarshal(document, &of); err != nil {
		return Record{}, errors.New("its record cannot be decoded")
	}
	record, err := Decode(document, About{WaveID: waveID, Place: group.Place(), Instance: of.Instance})
	if err == nil && record.Group.String() != group.String() {
		return record, errors.New("its record is about something else")
	}
	return record, err
}
