package activities

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
)

// TagRestoredInput names a replacement that has succeeded.
type TagRestoredInput struct {
	Instance     Instance
	TaskID       string
	RootVolumeID string // the new one
}

// TagRestored gives the new root volume the tags of the old one, and marks the old one with when it expires. Both are
// for later: whoever cannot tag tells so, and keeps no instance out of service for it.
func (a *AWS) TagRestored(ctx context.Context, in TagRestoredInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	where := in.Instance.String()
	tasks, _, err := aws.ReadRestores(
		ctx, s, where, &ec2.DescribeReplaceRootVolumeTasksInput{ReplaceRootVolumeTaskIds: []string{in.TaskID}},
	)
	if err != nil {
		return err
	}
	if len(tasks) == 0 {
		return once.NotReady(0, "waiting for the replacement %s to be listed", in.TaskID)
	}
	if err := markReplaced(ctx, s, where, tasks[0]); err != nil {
		return err
	}
	return keepTags(ctx, s, where, aws.TagOf(tasks[0].Tags, names.TagReplaced), in.RootVolumeID)
}

// keepTags gives the new root volume the tags of the old one, which EC2 does not carry over (the guide on replacing a
// root volume): backup plans and bills go by them. Tags of AWS's own cannot be set, and ours are about the old one.
func keepTags(ctx context.Context, s *aws.Services, where, old, fresh string) error {
	if old == "" {
		return nil
	}
	out, err := s.EC2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{
		Filters: []ec2types.Filter{aws.Filter("volume-id", old, fresh)},
	})
	if err != nil {
		return aws.Wrap("read the tags of the replaced volume "+old, where, err)
	}
	if len(out.Volumes) < 2 {
		return once.NotReady(0, "waiting for the volumes %s and %s to be listed", old, fresh)
	}
	var lacking []ec2types.Tag
	for _, volume := range out.Volumes {
		if aws.Deref(volume.VolumeId) == old {
			lacking = slices.DeleteFunc(slices.Clone(volume.Tags), func(tag ec2types.Tag) bool {
				key := aws.Deref(tag.Key)
				return strings.HasPrefix(key, "aws:") || strings.HasPrefix(key, names.TagPrefix)
			})
		}
	}
	for _, volume := range out.Volumes {
		if aws.Deref(volume.VolumeId) == fresh {
			has := aws.TagKeys(volume.Tags) // what somebody has set since is theirs
			lacking = slices.DeleteFunc(lacking, func(tag ec2types.Tag) bool {
				return slices.Contains(has, aws.Deref(tag.Key))
			})
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	_, err = s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{fresh}, Tags: lacking})
	return aws.Wrap("tag the new root volume "+fresh+" as the old one", where, err)
}

// markReplaced tags the volume that was replaced, now that it is nobody's root any more. The same tags again change
// nothing.
func markReplaced(ctx context.Context, s *aws.Services, where string, task ec2types.ReplaceRootVolumeTask) error {
	volume := aws.TagOf(task.Tags, names.TagReplaced)
	if volume == "" {
		return nil
	}
	_, err := s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{volume}, Tags: []ec2types.Tag{
		{Key: aws.Ptr(names.TagWave), Value: aws.Ptr(aws.TagOf(task.Tags, names.TagWave))},
		{Key: aws.Ptr(names.TagExpires), Value: aws.Ptr(aws.TagOf(task.Tags, names.TagExpires))},
		{Key: aws.Ptr(names.TagReplaced), Value: task.InstanceId},
	}})
	if aws.IsNotFound(err) {
		return nil
	}
	return aws.Wrap("mark the replaced volume "+volume, where, err)
}
