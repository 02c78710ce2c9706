package activities

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ExpireInput names an account and region whose expired backups are to be deleted.
type ExpireInput struct {
	Group  patch.Group
	DryRun bool     // only list what would be deleted
	Keep   []string // waves whose backups stay, however old: they are open, or are being rolled back
	Named  []string // ids that signed records of their waves name: only these are deleted
}

// Expired lists what was deleted.
type Expired struct {
	Snapshots []string
	Volumes   []string
	Images    []string
	Unnamed   []Backup // past their time by their tags, and not Named: they stay
}

// Backup is a snapshot or a replaced volume, with the wave that its tags name.
type Backup struct {
	ID     string
	WaveID string
}

// ExpireBackups deletes snapshots and replaced volumes of ours (names.TagWave) whose names.TagExpires has passed by
// AWS's clock, never one that is attached, in use, lacks our tags, is of a wave to keep or is not Named: tags are
// copied with what somebody keeps for another purpose, ids are not. Who calls it asks first which waves those are, and
// what their records name.
func (a *AWS) ExpireBackups(ctx context.Context, in ExpireInput) (_ *Expired, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	where := in.Group.Account.Name + "/" + in.Group.Region
	expired := &Expired{}
	imagesLeft := expired.expireImages(ctx, s, in, where) // which keep neither snapshots nor volumes
	snapshots, at, err := aws.ReadSnapshots(ctx, s, where, aws.Filter("tag-key", names.TagExpires))
	if err != nil {
		return nil, err
	}
	for _, snapshot := range snapshots {
		if !mayExpire(snapshot.Tags, at, in.Keep) || !expired.names(in, aws.Deref(snapshot.SnapshotId), snapshot.Tags) {
			continue
		}
		if in.DryRun {
			expired.Snapshots = append(expired.Snapshots, aws.Deref(snapshot.SnapshotId))
			continue
		}
		_, err := s.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: snapshot.SnapshotId})
		switch {
		case aws.HasCode(err, aws.CodeSnapshotInUse):
			continue
		case err != nil && !aws.IsNotFound(err):
			return nil, aws.Wrap("delete the snapshot "+aws.Deref(snapshot.SnapshotId), where, err)
		}
		expired.Snapshots = append(expired.Snapshots, aws.Deref(snapshot.SnapshotId))
	}
	pages := ec2.NewDescribeVolumesPaginator(s.EC2, &ec2.DescribeVolumesInput{Filters: []ec2types.Filter{
		aws.Filter("tag-key", names.TagExpires), aws.Filter("status", string(ec2types.VolumeStateAvailable)),
	}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, aws.Wrap("look for replaced volumes", where, err)
		}
		for _, volume := range page.Volumes {
			replaced := slices.Contains(aws.TagKeys(volume.Tags), names.TagReplaced)
			if !replaced || len(volume.Attachments) > 0 || volume.State != ec2types.VolumeStateAvailable ||
				!mayExpire(volume.Tags, at, in.Keep) || !expired.names(in, aws.Deref(volume.VolumeId), volume.Tags) {
				continue
			}
			if in.DryRun {
				expired.Volumes = append(expired.Volumes, aws.Deref(volume.VolumeId))
				continue
			}
			_, err := s.EC2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: volume.VolumeId})
			switch {
			case aws.HasCode(err, aws.CodeVolumeInUse):
				continue
			case err != nil && !aws.IsNotFound(err):
				return nil, aws.Wrap("delete the volume "+aws.Deref(volume.VolumeId), where, err)
			}
			expired.Volumes = append(expired.Volumes, aws.Deref(volume.VolumeId))
		}
	}
	if imagesLeft != nil {
		return nil, imagesLeft
	}
	return expired, nil
}

// names reports whether a signed record names the backup, and notes one that none does.
func (e *Expired) names(in ExpireInput, id string, tags []ec2types.Tag) bool {
	named := slices.Contains(in.Named, id)
	if !named {
		e.Unnamed = append(e.Unnamed, Backup{ID: id, WaveID: aws.TagOf(tags, names.TagWave)})
	}
	return named
}

// mayExpire tells whether the tags are ours, their time has passed, and their wave is none to keep. An expiry that
// cannot be read never passes.
func mayExpire(tags []ec2types.Tag, now time.Time, keep []string) bool {
	expires, err := time.Parse(time.RFC3339, aws.TagOf(tags, names.TagExpires))
	return err == nil && slices.Contains(aws.TagKeys(tags), names.TagWave) && now.After(expires) && !slices.Contains(
		keep, aws.TagOf(tags, names.TagWave),
	)
}
