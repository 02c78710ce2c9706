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

// RestoreRootInput asks for the root volume to be replaced from a snapshot, or by an image.
type RestoreRootInput struct {
	Instance   Instance
	SnapshotID string // without it, and an image, AWS would reset the root to its launch state: refused
	ImageID    string // in the snapshot's place
	Attempt    Attempt
	Retention  patch.Duration
	Pace       Pace
}

// RestoreTask names a replacement under way.
type RestoreTask struct {
	TaskID string
}

// RestoreRoot starts the replacement once per attempt token; one that is to be put back and is stopped is started first
// (NotReady until it runs). The replaced volume is kept; which one it is and when it expires stands in the task's tags,
// from where TagRestored puts it on the volume once it is replaced. Gone when EC2 no longer has the instance.
func (a *AWS) RestoreRoot(ctx context.Context, in RestoreRootInput) (_ *RestoreTask, err error) {
	defer once.Typed(&err)
	if in.SnapshotID == "" && in.ImageID == "" {
		return nil, once.Final(
			ErrInvalidInput, "%s: neither a snapshot nor an image to make its root volume of; without one AWS would "+
				"reset it to its launch state",
			in.Instance,
		)
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	where := in.Instance.String()
	tasks, at, err := aws.ReadRestores(
		ctx, s, where,
		&ec2.DescribeReplaceRootVolumeTasksInput{Filters: []ec2types.Filter{aws.Filter("instance-id", in.Instance.ID)}},
	)
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
	switch state := aws.StateOf(*machine); {
	case state == "running":
	case in.ImageID != "":
		return nil, once.Final(ErrRestoreFailed, "%s is %s: somebody else has stopped it; its root volume is left as it is",
			in.Instance, state)
	case state == "stopped":
		_, err := s.EC2.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{in.Instance.ID}})
		if err != nil && !aws.HasCode(err, aws.CodeInstanceState) {
			return nil, aws.Wrap("start the instance to restore it", where, err)
		}
		return nil, once.NotReady(
			in.Pace.Poll.D(), "%s was stopped: waiting for it to run, since only a running instance's root can be replaced",
			in.Instance,
		)
	default:
		return nil, once.NotReady(
			in.Pace.Poll.D(), "%s is %s: waiting for it to run, since only a running instance's root can be replaced",
			in.Instance, state,
		)
	}
	tags := aws.BackupTags(in.Attempt.WaveID, in.Attempt.Token, at.Add(in.Retention.D()))
	tags = append(tags, ec2types.Tag{Key: aws.Ptr(names.TagReplaced), Value: aws.Ptr(aws.RootVolume(*machine))})
	out, err := s.EC2.CreateReplaceRootVolumeTask(ctx, &ec2.CreateReplaceRootVolumeTaskInput{
		InstanceId: &in.Instance.ID, SnapshotId: given(in.SnapshotID), ImageId: given(in.ImageID),
		ClientToken:              &in.Attempt.Token,
		DeleteReplacedRootVolume: aws.Ptr(false),
		TagSpecifications: []ec2types.TagSpecification{
			{ResourceType: ec2types.ResourceTypeReplaceRootVolumeTask, Tags: tags},
		},
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

// given is a field of a request; nil where it is left out.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
