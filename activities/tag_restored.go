package activities

import (
	"context"
	"fmt"
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

// TagRestoredResult tells of the new root volume beside the old one.
type TagRestoredResult struct {
	// Differs says in what the new volume is another than the old one, for a person: its type, IOPS or throughput. ""
	// when it is not, or the old one is gone.
	Differs string
}

// TagRestored gives the new root volume the tags of the old one, and marks the old one with when it expires. Both are
// for later: whoever cannot tag tells so, and keeps no instance out of service for it.
func (a *AWS) TagRestored(ctx context.Context, in TagRestoredInput) (_ TagRestoredResult, err error) {
	var none TagRestoredResult
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return none, err
	}
	where := in.Instance.String()
	tasks, _, err := aws.ReadRestores(
		ctx, s, where, &ec2.DescribeReplaceRootVolumeTasksInput{ReplaceRootVolumeTaskIds: []string{in.TaskID}},
	)
	if err != nil {
		return none, err
	}
	if len(tasks) == 0 {
		return none, once.NotReady(0, "waiting for the replacement %s to be listed", in.TaskID)
	}
	if err := markReplaced(ctx, s, where, tasks[0]); err != nil {
		return none, err
	}
	return keepTags(ctx, s, where, aws.TagOf(tasks[0].Tags, names.TagReplaced), in.RootVolumeID)
}

// keepTags gives the new root volume the tags of the old one, which EC2 does not carry over (the guide on replacing a
// root volume): backup plans and bills go by them. Tags of AWS's own cannot be set, and ours are about the old one.
func keepTags(ctx context.Context, s *aws.Services, where, old, fresh string) (result TagRestoredResult, err error) {
	if old == "" {
		return result, nil
	}
	out, err := s.EC2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{
		Filters: []ec2types.Filter{aws.Filter("volume-id", old, fresh)},
	})
	if err != nil {
		return result, aws.Wrap("read the tags of the replaced volume "+old, where, err)
	}
	if len(out.Volumes) < 2 {
		return result, once.NotReady(0, "waiting for the volumes %s and %s to be listed", old, fresh)
	}
	was, is := out.Volumes[0], out.Volumes[1]
	if aws.Deref(is.VolumeId) == old {
		was, is = is, was
	}
	if before, after := speedOf(was), speedOf(is); before != after {
		result.Differs = after + " instead of " + before
	}
	has := aws.TagKeys(is.Tags) // what somebody has set since is theirs
	lacking := slices.DeleteFunc(slices.Clone(was.Tags), func(tag ec2types.Tag) bool {
		key := aws.Deref(tag.Key)
		return strings.HasPrefix(key, "aws:") || strings.HasPrefix(key, names.TagPrefix) || slices.Contains(has, key)
	})
	if len(lacking) == 0 {
		return result, nil
	}
	_, err = s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{fresh}, Tags: lacking})
	return result, aws.Wrap("tag the new root volume "+fresh+" as the old one", where, err)
}

// speedOf is what decides how fast a volume is. EC2 says only of its type that a replacement keeps it.
func speedOf(volume ec2types.Volume) string {
	return fmt.Sprintf(
		"%s, %d IOPS, %d MiB/s", volume.VolumeType, aws.Deref(volume.Iops), aws.Deref(volume.Throughput),
	)
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
