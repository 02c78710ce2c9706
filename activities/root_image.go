package activities

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// KeepRootImageInput names an image that was made for a wave, and what came of it.
type KeepRootImageInput struct {
	Group     patch.Group
	Image     string
	State     string // aws.ImageProven, or aws.ImageFailed
	Retention patch.Duration
}

// KeepRootImage marks the image and its snapshot with what came of it and when they expire, as the backups of the wave
// do, and returns the snapshot's id. The same tags again only put it off.
func (a *AWS) KeepRootImage(ctx context.Context, in KeepRootImageInput) (_ string, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return "", err
	}
	where := in.Group.String()
	found, at, err := aws.ReadImages(ctx, s, where, aws.Filter("image-id", in.Image))
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", once.NotReady(0, "waiting for the image %s to be listed", in.Image)
	}
	ids, snapshot := []string{in.Image}, aws.SnapshotOf(found[0])
	if snapshot != "" {
		ids = append(ids, snapshot)
	}
	_, err = s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: ids, Tags: []ec2types.Tag{
		expires(at, in.Retention), {Key: aws.Ptr(names.TagImageState), Value: &in.State},
	}})
	return snapshot, aws.Wrap("mark the image "+in.Image+" with when it expires", where, err)
}

// expireImages deregisters images of ours whose time has passed, which their snapshots are deleted after. One that does
// not go keeps no other from going: its error is told once all were tried.
func (e *Expired) expireImages(ctx context.Context, s *aws.Services, in ExpireInput, where string) error {
	images, at, err := aws.ReadImages(ctx, s, where, aws.Filter("tag-key", names.TagExpires))
	if err != nil {
		return err
	}
	var failed []error
	for _, image := range images {
		id := aws.Deref(image.ImageId)
		if !mayExpire(image.Tags, at, in.Keep) || !e.names(in, id, image.Tags) {
			continue
		}
		if !in.DryRun {
			_, err := s.Images.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &id})
			if err != nil && !aws.HasCode(err, aws.CodeNoImage, aws.CodeImageGone) {
				failed = append(failed, aws.Wrap("deregister the image "+id, where, err))
				continue
			}
		}
		e.Images = append(e.Images, id)
	}
	return errors.Join(failed...)
}

// isRoots reports whether a wave made the image for root volumes: it goes once its time is over, and is none of those
// of which a group keeps so many.
func isRoots(image ec2types.Image) bool {
	return slices.Contains(aws.TagKeys(image.Tags), names.TagExpires)
}
