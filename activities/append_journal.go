package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AppendJournalInput is what a saga is about to change.
type AppendJournalInput struct {
	WaveID string
	Name   string // account/region/instance, or account/region/group
	Record json.RawMessage
}

// AppendJournal appends to the journal before a change is made.
func (c *Control) AppendJournal(ctx context.Context, in AppendJournalInput) error {
	if !json.Valid(in.Record) {
		return once.Final(ErrInvalidInput, "journal record %s of wave %s is not JSON", in.Name, in.WaveID)
	}
	if err := c.Evidence.AppendJournal(ctx, in.WaveID, in.Name, in.Record); err != nil {
		return evidenceError("record "+in.Name+" of wave "+in.WaveID, err)
	}
	return c.recordRaise(ctx, in)
}

// raise is the last time that a wave was about to raise a group's max. Standby and suspended processes can be seen in a group; a
// raised max looks like any other, so that without the tag only this tells of it.
type raise struct {
	WaveID    string
	Group     patch.Group
	MaxBefore int
	At        time.Time
}

// recordRaise keeps the newest raise of a group's max where it is found by the group alone.
func (c *Control) recordRaise(ctx context.Context, in AppendJournalInput) error {
	var about struct {
		Group    patch.Group
		At       time.Time
		Intended struct {
			RaiseMax  bool
			MaxBefore int
		}
	}
	if json.Unmarshal(in.Record, &about) != nil || !about.Intended.RaiseMax {
		return nil
	}
	return evidenceError("record that the max of "+about.Group.String()+" is raised", c.Evidence.AppendJournal(ctx, names.RaisedMaxJournal,
		names.JournalRecord(about.Group, ""), raise{WaveID: in.WaveID, Group: about.Group, MaxBefore: about.Intended.MaxBefore, At: about.At}))
}
