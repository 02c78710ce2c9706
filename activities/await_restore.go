package activities

import (
	"context"

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

// AwaitRestore waits until the task succeeded and the instance runs; RestoreFailed (terminal) with the task's state
// else. Gone when EC2 no longer has the instance.
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
		restored = &Restored{RootVolumeID: root}
		return true, "", nil
	})
	return restored, err
}
