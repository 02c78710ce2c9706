package activities

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
)

// AwaitReplacedInput looks for the replacement of an attempt.
type AwaitReplacedInput struct {
	Instance Instance
	Attempt  Attempt
	Pace     Pace
}

// Replaced is a replacement of a root volume that has ended, however.
type Replaced struct {
	TaskID string // "": none was started
	State  string // EC2's word: succeeded, failed, failed-detached
	// RootVolumeID is the instance's now; "": EC2 shows none.
	RootVolumeID string
}

// AwaitReplaced waits until the replacement that an attempt of unknown fate may have started has ended, or ReadLag of
// empty lists says that none was started. Gone when EC2 no longer has the instance.
func (a *AWS) AwaitReplaced(ctx context.Context, in AwaitReplacedInput) (_ *Replaced, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	trace, _ := once.LastFootprint(ctx)
	result := &Replaced{}
	err = a.waits().LookKeeping(
		ctx, in.Pace, func() any { return trace }, func(ctx context.Context) (bool, string, error) {
			tasks, at, err := aws.ReadRestores(
				ctx, s, in.Instance.String(),
				&ec2.DescribeReplaceRootVolumeTasksInput{Filters: []ec2types.Filter{aws.Filter("instance-id", in.Instance.ID)}},
			)
			if err != nil {
				return false, "", err
			}
			mine := slices.IndexFunc(tasks, func(task ec2types.ReplaceRootVolumeTask) bool {
				return slices.Contains(aws.TagKeys(task.Tags), names.TagAttempt+in.Attempt.Token)
			})
			if mine < 0 {
				if trace.EmptySince.IsZero() {
					trace.EmptySince = at
				}
				return at.Sub(trace.EmptySince) >= a.speed().OnAWS(in.Pace.ReadLag),
					"to be sure that no replacement of its root volume was started", nil
			}
			task := tasks[mine]
			result.TaskID, result.State = aws.Deref(task.ReplaceRootVolumeTaskId), string(task.TaskState)
			switch task.TaskState {
			case ec2types.ReplaceRootVolumeTaskStateSucceeded, ec2types.ReplaceRootVolumeTaskStateFailed,
				ec2types.ReplaceRootVolumeTaskStateFailedDetached:
			default:
				return false, "the root volume's replacement, which is " + result.State, nil
			}
			machine, err := aws.ReadMachine(ctx, s, in.Instance)
			if err == nil {
				result.RootVolumeID = aws.RootVolume(*machine)
			}
			return err == nil, "", err
		})
	if err != nil {
		return nil, err
	}
	return result, nil
}
