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
	// TaskID is "" where no task of it is listed: none was started, or, where the root volume is another by now, EC2 tells
	// of it no more.
	TaskID string
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
				if at.Sub(trace.EmptySince) < a.speed().OnAWS(in.Pace.ReadLag) {
					return false, "to be sure that no replacement of its root volume was started", nil
				}
				result.RootVolumeID, err = a.rootNow(ctx, s, in.Instance)
				return err == nil, "", err
			}
			task := tasks[mine]
			result.TaskID, result.State = aws.Deref(task.ReplaceRootVolumeTaskId), string(task.TaskState)
			switch task.TaskState {
			case ec2types.ReplaceRootVolumeTaskStateSucceeded, ec2types.ReplaceRootVolumeTaskStateFailed,
				ec2types.ReplaceRootVolumeTaskStateFailedDetached:
			default:
				return false, "the root volume's replacement, which is " + result.State, nil
			}
			result.RootVolumeID, err = a.rootNow(ctx, s, in.Instance)
			return err == nil, "", err
		})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// rootNow is the root volume that an instance has now; "": EC2 shows none.
func (a *AWS) rootNow(ctx context.Context, s *aws.Services, in Instance) (string, error) {
	machine, err := aws.ReadMachine(ctx, s, in)
	if err != nil {
		return "", err
	}
	return aws.RootVolume(*machine), nil
}
