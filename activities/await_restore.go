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

// AwaitRestore waits until the task succeeded and the instance runs, and marks the replaced volume with its expiry;
// RestoreFailed (terminal) with the task's state else. Gone when EC2 no longer has the instance.
func (a *AWS) AwaitRestore(ctx context.Context, in AwaitRestoreInput) (_ *Restored, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	var restored *Restored
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		tasks, _, err := aws.ReadRestores(
			ctx, s, in.Instance.String(),
			&ec2.DescribeReplaceRootVolumeTasksInput{ReplaceRootVolumeTaskIds: []string{in.TaskID}},
		)
		if aws.IsNotFound(err) || err == nil && len(tasks) == 0 {
			return false, "the replacement " + in.TaskID + " to be listed", nil
		}
		if err != nil {
			return false, "", err
		}
		task := tasks[0]
		switch task.TaskState {
		case ec2types.ReplaceRootVolumeTaskStateSucceeded:
		case ec2types.ReplaceRootVolumeTaskStateFailed, ec2types.ReplaceRootVolumeTaskStateFailedDetached:
			return false, "", once.Final(
				ErrRestoreFailed, "%s: the root volume's replacement %s ended as %s", in.Instance, in.TaskID, task.TaskState,
			)
		default:
			return false, "the root volume's replacement, which is " + string(task.TaskState), nil
		}
		machine, err := aws.ReadMachine(ctx, s, in.Instance)
		switch {
		case err != nil:
			return false, "", err
		case aws.StateOf(*machine) != "running":
			return false, "the instance to run; it is " + aws.StateOf(*machine), nil
		}
		root := aws.RootVolume(*machine)
		if root == "" || root == aws.TagOf(task.Tags, names.TagReplaced) {
			return false, "EC2 to show the new root volume", nil
		}
		if err := keepTags(ctx, s, in.Instance.String(), aws.TagOf(task.Tags, names.TagReplaced), root); err != nil {
			return false, "", err
		}
		if err := markReplaced(ctx, s, in.Instance.String(), task); err != nil {
			return false, "", err
		}
		restored = &Restored{RootVolumeID: root}
		return true, "", nil
	})
	return restored, err
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
