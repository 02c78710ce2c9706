package activities

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ImageShare is what of an image of ours an account is let see and read, for as long as it is copied. Where one of the
// two is "" it is about the other only.
type ImageShare struct {
	Group    patch.Group // in whose account and region both are
	Image    string
	Snapshot string // of its root
	With     string // the account's id
}

// ToUnshare is what to do about what could not be taken back.
const ToUnshare = "let the role do ec2:ModifyImageAttribute and ec2:ModifySnapshotAttribute, then run `patchtide " +
	"reconcile`, which takes it back"

// sharedAs is the value of names.TagShared: it names what carries it, for tags are copied with what somebody makes of
// it.
func (s ImageShare) sharedAs(id string) string { return id + " " + s.With }

// ids are what is shared, the image first.
func (s ImageShare) ids() (ids []string) {
	for _, id := range []string{s.Image, s.Snapshot} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// ShareImage lets an account see an image and read its snapshot, which a copy needs both of. Each is marked before, so
// that what a wave left shared is found; sharing twice is as once. An error of which NothingDone is true leaves nothing
// shared, but perhaps marks: see UnmarkShared.
func (a *AWS) ShareImage(ctx context.Context, in ImageShare) (err error) {
	asked := once.NewOwnership(ctx)
	defer func() { err = asked.Told(ctx, err) }()
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	for _, id := range in.ids() {
		if err := in.mark(ctx, s, id); err != nil {
			return err
		}
	}
	if err := asked.Sending(ctx, func() error { return in.modify(ctx, s, in.Image, true) })(); err != nil {
		return in.notSharable(in.Image, err)
	}
	return in.notSharable(in.Snapshot, in.modify(ctx, s, in.Snapshot, true))
}

// UnshareImage takes both back, and the marks after that. What is gone is shared with nobody.
func (a *AWS) UnshareImage(ctx context.Context, in ImageShare) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	for _, id := range in.ids() { // where one fails the other is taken back all the same
		one := in.modify(ctx, s, id, false)
		if one == nil || imageGone(one) {
			one = in.unmark(ctx, s, id)
		}
		if one != nil && err == nil {
			err = aws.Wrap("take back what of "+id+" is shared with "+in.With, in.Group.String(), one)
		}
	}
	return err
}

// UnmarkShared takes the marks off what was never shared.
func (a *AWS) UnmarkShared(ctx context.Context, in ImageShare) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	for _, id := range in.ids() {
		if err := in.unmark(ctx, s, id); err != nil {
			return aws.Wrap("take the mark of what is shared off "+id, in.Group.String(), err)
		}
	}
	return nil
}

func (s ImageShare) mark(ctx context.Context, services *aws.Services, id string) error {
	_, err := services.EC2.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{id}, Tags: []ec2types.Tag{{Key: aws.Ptr(names.TagShared), Value: aws.Ptr(s.sharedAs(id))}},
	})
	if imageGone(err) {
		return aws.InPassing("mark "+id+" as shared", s.Group.String(), err)
	}
	return aws.Wrap("mark "+id+" as shared", s.Group.String(), err)
}

func (s ImageShare) unmark(ctx context.Context, services *aws.Services, id string) error {
	_, err := services.EC2.DeleteTags(ctx, &ec2.DeleteTagsInput{
		Resources: []string{id}, Tags: []ec2types.Tag{{Key: aws.Ptr(names.TagShared), Value: aws.Ptr(s.sharedAs(id))}},
	})
	if imageGone(err) {
		return nil
	}
	return err
}

// imageGone reports whether AWS answered that there is no such image or snapshot.
func imageGone(err error) bool {
	return aws.IsNotFound(err) || aws.HasCode(err, aws.CodeNoImage, aws.CodeImageGone)
}

// modify adds the account to those of the image or of the snapshot, or takes it off.
func (s ImageShare) modify(ctx context.Context, services *aws.Services, id string, add bool) (err error) {
	if strings.HasPrefix(id, "snap-") {
		permission := []ec2types.CreateVolumePermission{{UserId: &s.With}}
		change := &ec2types.CreateVolumePermissionModifications{Add: permission}
		if !add {
			change = &ec2types.CreateVolumePermissionModifications{Remove: permission}
		}
		_, err = services.Copies.ModifySnapshotAttribute(ctx, &ec2.ModifySnapshotAttributeInput{
			SnapshotId: &id, Attribute: ec2types.SnapshotAttributeNameCreateVolumePermission, CreateVolumePermission: change,
		})
		return err
	}
	permission := []ec2types.LaunchPermission{{UserId: &s.With}}
	change := &ec2types.LaunchPermissionModifications{Add: permission}
	if !add {
		change = &ec2types.LaunchPermissionModifications{Remove: permission}
	}
	_, err = services.Copies.ModifyImageAttribute(ctx, &ec2.ModifyImageAttributeInput{
		ImageId: &id, LaunchPermission: change,
	})
	return err
}

func (s ImageShare) notSharable(id string, err error) error {
	doing := "share " + id + " with the account " + s.With
	switch {
	case aws.HasCode(err, aws.CodeNotShared, aws.CodeProtected): // by AWS's own key: OperationNotPermitted of a snapshot
		doing += ", which AWS lets nobody do with what its own key encrypts: encrypt root volumes with a key of your own"
	case imageGone(err):
		return aws.InPassing(doing, s.Group.String(), err)
	}
	return aws.Wrap(doing, s.Group.String(), err)
}

// SharedImage is an image or a snapshot of ours that is marked as shared, with the wave that made it.
type SharedImage struct {
	ImageShare
	WaveID string
}

// findShared lists what is marked as shared, images first. A mark that names something else came with a copy of its
// tags, and is none.
func findShared(ctx context.Context, s *aws.Services, place patch.Place) (found []SharedImage, err error) {
	add := func(id string, tags []ec2types.Tag, share ImageShare) {
		of, account, _ := strings.Cut(aws.TagOf(tags, names.TagShared), " ")
		if share.With = account; of == id && account != "" && aws.TagOf(tags, names.TagWave) != "" {
			found = append(found, SharedImage{ImageShare: share, WaveID: aws.TagOf(tags, names.TagWave)})
		}
	}
	images, _, err := aws.ReadImages(ctx, s, place.String(), aws.Filter("tag-key", names.TagShared))
	if err != nil {
		return nil, err
	}
	for _, image := range images {
		id := aws.Deref(image.ImageId)
		add(id, image.Tags, ImageShare{Group: place.Nowhere(), Image: id})
	}
	snapshots, _, err := aws.ReadSnapshots(ctx, s, place.String(), aws.Filter("tag-key", names.TagShared))
	if err != nil {
		return nil, err
	}
	for _, snapshot := range snapshots {
		id := aws.Deref(snapshot.SnapshotId)
		add(id, snapshot.Tags, ImageShare{Group: place.Nowhere(), Snapshot: id})
	}
	return found, nil
}
