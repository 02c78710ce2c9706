package activities

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// What an image of ours has come to: see TagImage.
const (
	ImageProven = aws.ImageProven
	ImageFailed = aws.ImageFailed
)

// mostImages bounds how many images one cleaning deregisters; the next wave does the rest.
const mostImages = 20

// ExpireImagesInput says how many images a group keeps.
type ExpireImagesInput struct {
	Group patch.Group
	Keep  int
	Stay  []string // stay whatever a list says: the newest, and what a roll back would have the group launch again
}

// ImagesExpired are those that were deregistered, with their snapshots.
type ImagesExpired struct {
	Images []string
	Kept   string // why older ones were kept; "": none was for a reason that a person should know
}

// stateExpired marks the snapshots of an image that is about to be deregistered, so that they are found after it.
const stateExpired = "expired"

// ExpireImages deregisters older images of a group's that carry our tags, and deletes those of their snapshots that do,
// too; see patch.ExpiredImages. One stays that anything uses: a template's default or latest version, a version or an
// image that a group names, an instance that is not terminated. Each use is read before any goes; where one cannot be
// read, all stay.
func (a *AWS) ExpireImages(ctx context.Context, in ExpireImagesInput) (_ *ImagesExpired, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	where := in.Group.String()
	images, _, err := aws.ReadImages(ctx, s, where, aws.Filter("tag:"+names.TagImage, names.ImageOf(in.Group)))
	if err != nil {
		return nil, err
	}
	images = slices.DeleteFunc(images, isRoots)
	var known []patch.OurImage
	for _, image := range images {
		known = append(known, patch.OurImage{
			ID: aws.Deref(image.ImageId), Created: aws.Deref(image.CreationDate),
			Proven: aws.TagOf(image.Tags, names.TagImageState) == aws.ImageProven,
		})
	}
	old := patch.ExpiredImages(known, in.Keep, in.Stay...)
	old = old[:min(len(old), mostImages)]
	if err := deleteExpired(ctx, s, in.Group); err != nil { // that an earlier attempt left
		return nil, err
	}
	if len(old) == 0 {
		return &ImagesExpired{}, nil
	}
	used, unread, err := imagesInUse(ctx, s, in.Group, old)
	if err != nil || unread != "" {
		return &ImagesExpired{Kept: unread}, err
	}
	expired := &ImagesExpired{}
	for _, image := range images {
		id := aws.Deref(image.ImageId)
		if !slices.Contains(old, id) || slices.Contains(used, id) {
			continue
		}
		if err := markSnapshotsOf(ctx, s, in.Group, image); err != nil {
			return nil, err
		}
		_, err := s.Images.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &id})
		switch {
		case aws.HasCode(err, aws.CodeProtected):
			expired.Kept = "the image " + id + " is protected from being deregistered"
			continue
		case err != nil && !aws.HasCode(err, aws.CodeNoImage, aws.CodeImageGone):
			return nil, aws.Wrap("deregister the image "+id, where, err)
		}
		expired.Images = append(expired.Images, id)
	}
	return expired, deleteExpired(ctx, s, in.Group)
}

// markSnapshotsOf marks an image's snapshots that carry our tag: whoever dies after it was deregistered would find them
// no more.
func markSnapshotsOf(ctx context.Context, s *aws.Services, group patch.Group, image ec2types.Image) error {
	var ids []string
	for _, device := range image.BlockDeviceMappings {
		if device.Ebs != nil && aws.Deref(device.Ebs.SnapshotId) != "" {
			ids = append(ids, *device.Ebs.SnapshotId)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	ours, _, err := aws.ReadSnapshots(ctx, s, group.String(), aws.Filter("snapshot-id", ids...),
		aws.Filter("tag:"+names.TagImage, names.ImageOf(group)))
	if err != nil {
		return err
	}
	ids = nil
	for _, snapshot := range ours {
		ids = append(ids, aws.Deref(snapshot.SnapshotId))
	}
	if len(ids) == 0 {
		return nil
	}
	_, err = s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: ids, Tags: []ec2types.Tag{{Key: aws.Ptr(names.TagImageState), Value: aws.Ptr(stateExpired)}},
	})
	return aws.Wrap("mark the snapshots of the image "+aws.Deref(image.ImageId), group.String(), err)
}

// deleteExpired deletes the snapshots of a group's images that were deregistered. EC2 refuses that of one whose image
// is still there.
func deleteExpired(ctx context.Context, s *aws.Services, group patch.Group) error {
	ours, _, err := aws.ReadSnapshots(ctx, s, group.String(), aws.Filter("tag:"+names.TagImageState, stateExpired),
		aws.Filter("tag:"+names.TagImage, names.ImageOf(group)))
	if err != nil {
		return err
	}
	for _, snapshot := range ours {
		_, err := s.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: snapshot.SnapshotId})
		if err != nil && !aws.IsNotFound(err) && !aws.HasCode(err, aws.CodeSnapshotInUse) {
			return aws.Wrap("delete the snapshot "+aws.Deref(snapshot.SnapshotId), group.String(), err)
		}
	}
	return nil
}

// imagesInUse are those of some images that anything in the region uses, or what uses cannot be read.
func imagesInUse(ctx context.Context, s *aws.Services, in patch.Group, images []string) (
	used []string, unread string, err error,
) {
	instances, _, err := aws.DescribeInstances(ctx, s, in.String(), aws.Filter("image-id", images...))
	if err != nil {
		return nil, "", err
	}
	for _, instance := range instances {
		if aws.StateOf(instance) != "terminated" {
			used = append(used, aws.Deref(instance.ImageId))
		}
	}
	uses, err := aws.ReadTemplateUses(ctx, s, in)
	if err != nil {
		return nil, "", err
	}
	for _, use := range uses {
		switch {
		case use.Configuration != "":
			return nil, "the group " + use.Group + " has the launch configuration " + use.Configuration +
				", whose image is not read", nil
		case use.Image != "" && !isImageID(use.Image):
			return nil, "the group " + use.Group + " names " + use.Image + ", and which image that is is not read", nil
		case use.Image != "":
			used = append(used, use.Image)
		}
	}
	pages := ec2.NewDescribeLaunchTemplatesPaginator(s.Images, &ec2.DescribeLaunchTemplatesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, "", aws.Wrap("list the launch templates", in.String(), err)
		}
		for _, template := range page.LaunchTemplates {
			id := aws.Deref(template.LaunchTemplateId)
			versions := []string{
				strconv.FormatInt(aws.Deref(template.DefaultVersionNumber), 10),
				strconv.FormatInt(aws.Deref(template.LatestVersionNumber), 10),
			}
			for _, use := range uses {
				if use.Of(id, aws.Deref(template.LaunchTemplateName)) && use.Number() > 0 {
					versions = append(versions, use.Version)
				}
			}
			named, err := imagesOf(ctx, s, in, id, versions)
			if err != nil {
				return nil, "", err
			}
			for _, image := range named {
				if image != "" && !isImageID(image) {
					return nil, "the launch template " + aws.Deref(template.LaunchTemplateName) + " names " + image +
						", and which image that is is not read", nil
				}
			}
			used = append(used, named...)
		}
	}
	return used, "", nil
}

// imagesOf are what versions of a template name. One that is not there any more names none.
func imagesOf(ctx context.Context, s *aws.Services, in patch.Group, template string, versions []string) (
	images []string, err error,
) {
	slices.Sort(versions)
	versions = slices.Compact(versions)
	out, err := s.EC2.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: &template, Versions: versions,
	})
	switch {
	case aws.HasCode(err, aws.CodeNoVersion) && len(versions) > 1: // one of them is deleted
		for _, version := range versions {
			one, err := imagesOf(ctx, s, in, template, []string{version})
			if err != nil {
				return nil, err
			}
			images = append(images, one...)
		}
		return images, nil
	case aws.HasCode(err, aws.CodeNoVersion):
		return nil, nil
	case err != nil:
		return nil, aws.Wrap("read versions "+strings.Join(versions, ", ")+" of the launch template "+template, in.String(),
			err)
	}
	for _, version := range out.LaunchTemplateVersions {
		if version.LaunchTemplateData != nil {
			images = append(images, aws.Deref(version.LaunchTemplateData.ImageId))
		}
	}
	return images, nil
}
