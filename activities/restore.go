package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

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
// The replaced volume is kept; which one it is and when it expires stands in the task's tags, from where AwaitRestore puts
// it on the volume once it is replaced. Gone when EC2 no longer has the instance.
func (a *AWS) RestoreRoot(ctx context.Context, in RestoreRootInput) (_ *RestoreTask, err error) {
	defer once.Typed(&err)
	if in.SnapshotID == "" {
		return nil, once.Final(ErrInvalidInput, "%s: no snapshot to restore from; without one AWS would reset the root volume to its launch state", in.Instance)
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	where := in.Instance.String()
	tasks, at, err := aws.ReadRestores(ctx, s, where, &ec2.DescribeReplaceRootVolumeTasksInput{Filters: []ec2types.Filter{aws.Filter("instance-id", in.Instance.ID)}})
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		for _, key := range aws.TagKeys(task.Tags) {
			if key == names.TagAttempt+in.Attempt.Token {
				return &RestoreTask{TaskID: aws.Deref(task.ReplaceRootVolumeTaskId)}, nil
			}
		}
	}
	machine, err := aws.ReadMachine(ctx, s, in.Instance)
	if err != nil {
		return nil, err
	}
	switch state := aws.StateOf(*machine); state {
	case "running":
	case "stopped":
		_, err := s.EC2.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{in.Instance.ID}})
		if err != nil && !aws.HasCode(err, aws.CodeInstanceState) {
			return nil, aws.Wrap("start the instance to restore it", where, err)
		}
		return nil, once.NotReady(in.Pace.Poll.D(), "%s was stopped: waiting for it to run, since only a running instance's root can be replaced", in.Instance)
	default:
		return nil, once.NotReady(in.Pace.Poll.D(), "%s is %s: waiting for it to run, since only a running instance's root can be replaced", in.Instance, state)
	}
	tags := aws.BackupTags(in.Attempt.WaveID, in.Attempt.Token, at.Add(in.Retention.D()))
	tags = append(tags, ec2types.Tag{Key: aws.Ptr(names.TagReplaced), Value: aws.Ptr(aws.RootVolume(*machine))})
	out, err := s.EC2.CreateReplaceRootVolumeTask(ctx, &ec2.CreateReplaceRootVolumeTaskInput{
		InstanceId: &in.Instance.ID, SnapshotId: &in.SnapshotID, ClientToken: &in.Attempt.Token, DeleteReplacedRootVolume: aws.Ptr(false),
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeReplaceRootVolumeTask, Tags: tags}},
	})
	switch {
	// The tags of a repeat differ in their expiry, so that EC2 may take it for another request: the task exists.
	case aws.IsTokenUsed(err):
		return nil, once.NotReady(in.Pace.Poll.D(), "waiting to see the replacement that an earlier attempt started")
	// Another replacement is under way, or the instance is just changing its state.
	case aws.HasCode(err, aws.CodeRestoring, aws.CodeInstanceState):
		return nil, once.NotReady(in.Pace.Poll.D(), "waiting to replace the root volume of %s: %v", in.Instance, err)
	case err != nil:
		return nil, aws.Wrap("replace the root volume", where, err)
	case out.ReplaceRootVolumeTask == nil:
		return nil, once.NotReady(in.Pace.Poll.D(), "waiting to see the replacement of the root volume")
	}
	return &RestoreTask{TaskID: aws.Deref(out.ReplaceRootVolumeTask.ReplaceRootVolumeTaskId)}, nil
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
		tasks, _, err := aws.ReadRestores(ctx, s, in.Instance.String(), &ec2.DescribeReplaceRootVolumeTasksInput{ReplaceRootVolumeTaskIds: []string{in.TaskID}})
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
			return false, "", once.Final(ErrRestoreFailed, "%s: the root volume's replacement %s ended as %s", in.Instance, in.TaskID, task.TaskState)
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
		if err := markReplaced(ctx, s, in.Instance.String(), task); err != nil {
			return false, "", err
		}
		restored = &Restored{RootVolumeID: root}
		return true, "", nil
	})
	return restored, err
}

// markReplaced tags the volume that was replaced, now that it is nobody's root any more. The same tags again change nothing.
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
