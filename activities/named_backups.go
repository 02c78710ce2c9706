package activities

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
)

// NamedBackupsInput asks for those of some backups that the signed records of their wave name.
type NamedBackupsInput struct {
	WaveID string
	Place  patch.Place // account and region where they are
	IDs    []string    // of snapshots and replaced volumes
}

// NamedBackups are the ones that a signed record names.
type NamedBackups struct {
	IDs []string // in the order asked
}

// NamedBackups reads the journal of a wave: a record names the snapshot that it can be put back from, the root volume
// that putting it back replaces, and the image that it was given, with the one that this is a copy of. A later try of
// an instance writes its record anew, so that where the newest versions do not name all, the earlier ones are read as
// well.
func (c *Control) NamedBackups(ctx context.Context, in NamedBackupsInput) (*NamedBackups, error) {
	var named []string
	for _, list := range []func(context.Context, string) ([]json.RawMessage, []string, error){
		c.Evidence.ListJournal, c.Evidence.ListVersions,
	} {
		documents, _, err := list(ctx, in.WaveID)
		if err != nil {
			return nil, evidenceError("list the journal of wave "+in.WaveID, err)
		}
		for _, document := range documents {
			named = append(named, backupsOf(document, in)...)
		}
		if !slices.ContainsFunc(in.IDs, func(id string) bool { return !slices.Contains(named, id) }) {
			break
		}
	}
	result := &NamedBackups{}
	for _, id := range in.IDs {
		if slices.Contains(named, id) {
			result.IDs = append(result.IDs, id)
		}
	}
	return result, nil
}

// backupsOf are the backups that a verified record of an instance names; of a record of somewhere else only the image
// that its own is a copy of.
func backupsOf(document json.RawMessage, in NamedBackupsInput) []string {
	var record journal.Record
	if json.Unmarshal(document, &record) != nil || record.WaveID != in.WaveID || record.Instance == "" {
		return nil
	}
	if image := record.Policy.Root; image != nil && image.CopiedFrom != nil &&
		image.CopiedFrom.Account == in.Place.Account.ID && image.CopiedFrom.Region == in.Place.Region {
		return []string{image.CopiedFrom.ID, image.CopiedFrom.SnapshotID}
	}
	if record.Group.Account.ID != in.Place.Account.ID || record.Group.Region != in.Place.Region {
		return nil
	}
	ids := []string{record.RootVolume, record.ImageRoot}
	if record.Point != nil {
		ids = append(ids, record.Point.SnapshotID)
	}
	if image := record.Policy.Root; image != nil && image.Ours {
		ids = append(ids, image.ID, image.SnapshotID)
	}
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}
