package activities

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
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

// TakeSnapshot snapshots the root volume once per attempt token: CreateSnapshot has no client token, so the attempt's
// tag goes on at creation and is looked for before repeating.
func (a *AWS) TakeSnapshot(ctx context.Context, in SnapshotInput) (_ *SnapshotTaken, err error) {
	defer once.Typed(&err)
	if in.VolumeID == "" {
		return nil, once.Final(ErrInvalidInput, "%s: no volume to take a snapshot of", in.Instance)
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, once.Unsent(ctx, err)
	}
	where := in.Instance.String()
	found, at, err := aws.ReadSnapshots(ctx, s, where, aws.Filter("tag-key", names.TagAttempt+in.Attempt.Token))
	if err != nil {
		return nil, once.Unsent(ctx, err)
	}
	if len(found) > 0 {
		return &SnapshotTaken{SnapshotID: aws.Deref(found[0].SnapshotId), StartedAt: aws.Deref(found[0].StartTime).UTC()}, nil
	}
	if err := a.waits().MaySend(ctx, in.Pace, at, "the snapshot"); err != nil {
		return nil, err
	}
	out, err := s.EC2.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{
		VolumeId:    &in.VolumeID,
		Description: aws.Ptr("Patchtide: root of " + in.Instance.ID + " before it was patched, wave " + in.Attempt.WaveID),
		TagSpecifications: []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeSnapshot,
			Tags:         aws.BackupTags(in.Attempt.WaveID, in.Attempt.Token, at.Add(in.Retention.D())),
		}},
	})
	if err != nil {
		once.Refused(ctx, err)
		if aws.HasCode(err, aws.CodeSnapshotRate, aws.CodeSnapshotLimit) {
			return nil, once.Waiting(ErrThrottled, in.Pace.Poll.D(), "%s: create the snapshot: %v", where, err)
		}
		return nil, aws.Wrap("create the snapshot", where, err)
	}
	return &SnapshotTaken{SnapshotID: aws.Deref(out.SnapshotId), StartedAt: aws.Deref(out.StartTime).UTC()}, nil
}
