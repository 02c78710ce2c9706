package activities

import (
	"context"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// SnapshotInput asks for a snapshot of an instance's root volume.
type SnapshotInput struct {
	Instance  Instance
	VolumeID  string
	Attempt   Attempt
	Retention patch.Duration
	Pace      Pace
}

// SnapshotTaken names the snapshot; it may still be pending, which patching need not wait for.
type SnapshotTaken struct {
	SnapshotID string
	StartedAt  time.Time // AWS's clock
}

// TakeSnapshot snapshots the root volume once per attempt token: CreateSnapshot has no client token, so the attempt's tag
// goes on at creation and is looked for before repeating.
func (a *AWS) TakeSnapshot(ctx context.Context, in SnapshotInput) (*SnapshotTaken, error) {
	return nil, errUnbuilt
}

// AwaitSnapshotInput waits for a snapshot.
type AwaitSnapshotInput struct {
	Instance   Instance
	SnapshotID string
	Pace       Pace
}

// AwaitSnapshot waits until the snapshot is completed; SnapshotFailed (terminal) when it ended in error.
func (a *AWS) AwaitSnapshot(ctx context.Context, in AwaitSnapshotInput) error { return errUnbuilt }

// RestoreRootInput asks for the root volume to be replaced from a snapshot.
type RestoreRootInput struct {
	Instance   Instance
	SnapshotID string // "" is refused: AWS would reset the root to its launch state
	Attempt    Attempt
	Retention  patch.Duration
	Pace       Pace
}

// RestoreTask names a replacement under way.
type RestoreTask struct {
	TaskID string
}

// RestoreRoot starts the replacement once per attempt token; a stopped instance is started first (NotReady until it runs).
// The replaced volume is kept, tagged and expires.
func (a *AWS) RestoreRoot(ctx context.Context, in RestoreRootInput) (*RestoreTask, error) {
	return nil, errUnbuilt
}

// AwaitRestoreInput waits for a replacement.
type AwaitRestoreInput struct {
	Instance Instance
	TaskID   string
	Pace     Pace
}

// Restored is the machine after its root volume was replaced.
type Restored struct {
	RootVolumeID string
}

// AwaitRestore waits until the task succeeded and the instance runs; RestoreFailed (terminal) with the task's state else.
func (a *AWS) AwaitRestore(ctx context.Context, in AwaitRestoreInput) (*Restored, error) {
	return nil, errUnbuilt
}

// ExpireInput names an account and region whose expired backups are to be deleted.
type ExpireInput struct {
	Group patch.Group
}

// Expired lists what was deleted.
type Expired struct {
	Snapshots []string
	Volumes   []string
}

// ExpireBackups deletes snapshots and replaced volumes of ours (names.TagWave) whose names.TagExpires has passed by AWS's
// clock, never one that is attached or lacks our tags.
func (a *AWS) ExpireBackups(ctx context.Context, in ExpireInput) (*Expired, error) {
	return nil, errUnbuilt
}
