package activities

import (
	"context"
	"time"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadBackupsInput names snapshots of one account and region; at most 200, which is what a filter takes.
type ReadBackupsInput struct {
	Group       patch.Group
	SnapshotIDs []string
}

// Backups are snapshots as EC2 shows them.
type Backups struct {
	// snapshot id to EC2's state: pending, completed, error; one that EC2 does not list is missing
	States map[string]string
	// snapshot id to when it is past its retention, by its tag; one whose tag cannot be read is missing
	Expires map[string]time.Time
	At      time.Time // AWS's clock
}

// ReadBackups looks which snapshots still exist. Asked for none it still tells AWS's time.
func (a *AWS) ReadBackups(ctx context.Context, in ReadBackupsInput) (_ *Backups, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	ids := in.SnapshotIDs
	if len(ids) == 0 {
		ids = []string{"snap-none"} // without a filter EC2 would list the account
	}
	// By a filter: one id that is gone would make EC2 answer the whole list with an error.
	found, at, err := aws.ReadSnapshots(ctx, s, in.Group.String(), aws.Filter("snapshot-id", ids...))
	if err != nil {
		return nil, err
	}
	backups := &Backups{States: map[string]string{}, Expires: map[string]time.Time{}, At: at}
	for _, snapshot := range found {
		backups.States[aws.Deref(snapshot.SnapshotId)] = string(snapshot.State)
		if expires, err := time.Parse(time.RFC3339, aws.TagOf(snapshot.Tags, names.TagExpires)); err == nil {
			backups.Expires[aws.Deref(snapshot.SnapshotId)] = expires
		}
	}
	return backups, nil
}
