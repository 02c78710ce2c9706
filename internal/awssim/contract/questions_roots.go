package contract

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// How fast the root volume of a question is: more than a gp3 volume is by itself.
const (
	rootIOPS       = 3300
	rootThroughput = 150
)

// rooted launches a machine whose root volume is faster than usual and has a tag, and takes a snapshot of it.
func (c *Clients) rooted(
	ctx context.Context, name, image string,
) (id string, root types.Volume, snapshot *string, err error) {
	described, err := c.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{image}})
	if err != nil {
		return "", root, nil, err
	}
	if len(described.Images) != 1 {
		return "", root, nil, fmt.Errorf("%d images are %s", len(described.Images), image)
	}
	id, err = c.runWith(ctx, name, func(in *ec2.RunInstancesInput) {
		in.ImageId = &image
		in.BlockDeviceMappings = []types.BlockDeviceMapping{{
			DeviceName: described.Images[0].RootDeviceName,
			Ebs: &types.EbsBlockDevice{
				VolumeType: types.VolumeTypeGp3, Iops: aws.Int32(rootIOPS), Throughput: aws.Int32(rootThroughput),
			},
		}}
	})
	if err != nil {
		return "", root, nil, err
	}
	if err := c.untilInstance(ctx, id, "running"); err != nil {
		return "", root, nil, err
	}
	if root, err = c.rootOf(ctx, id); err != nil {
		return "", root, nil, err
	}
	if _, err := c.EC2.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{*root.VolumeId}, Tags: []types.Tag{{Key: aws.String("Owner"), Value: aws.String("contract")}},
	}); err != nil {
		return "", root, nil, err
	}
	taken, err := c.EC2.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{
		VolumeId: root.VolumeId, Description: aws.String("a question"),
		TagSpecifications: []types.TagSpecification{c.named(types.ResourceTypeSnapshot, name)},
	})
	if err != nil {
		return "", root, nil, err
	}
	c.Later(func(ctx context.Context) error {
		_, err := c.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: taken.SnapshotId})
		return err
	})
	return id, root, taken.SnapshotId, c.eventually(ctx, func() (bool, string, error) {
		out, err := c.EC2.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{SnapshotIds: []string{*taken.SnapshotId}})
		if err != nil || len(out.Snapshots) != 1 {
			return false, "there is no snapshot", err
		}
		return out.Snapshots[0].State == types.SnapshotStateCompleted, "the snapshot is pending", nil
	})
}

func (c *Clients) rootOf(ctx context.Context, id string) (types.Volume, error) {
	instance, err := c.instance(ctx, id)
	if err != nil {
		return types.Volume{}, err
	}
	n := slices.IndexFunc(instance.BlockDeviceMappings, func(m types.InstanceBlockDeviceMapping) bool {
		return aws.ToString(m.DeviceName) == aws.ToString(instance.RootDeviceName)
	})
	if n < 0 {
		return types.Volume{}, fmt.Errorf("%s has no root volume", id)
	}
	out, err := c.EC2.DescribeVolumes(
		ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{*instance.BlockDeviceMappings[n].Ebs.VolumeId}},
	)
	if err != nil {
		return types.Volume{}, err
	}
	if len(out.Volumes) != 1 {
		return types.Volume{}, fmt.Errorf("EC2 does not list the root volume of %s", id)
	}
	return out.Volumes[0], nil
}

func (c *Clients) replaceRoot(ctx context.Context, id string, snapshot *string) (*string, error) {
	out, err := c.EC2.CreateReplaceRootVolumeTask(ctx, &ec2.CreateReplaceRootVolumeTaskInput{
		InstanceId: &id, SnapshotId: snapshot, DeleteReplacedRootVolume: aws.Bool(true),
		TagSpecifications: []types.TagSpecification{c.named(types.ResourceTypeReplaceRootVolumeTask, "root")},
	})
	if err != nil {
		return nil, err
	}
	return out.ReplaceRootVolumeTask.ReplaceRootVolumeTaskId, nil
}

// untilReplaced waits until a task has succeeded.
func (c *Clients) untilReplaced(ctx context.Context, task *string) error {
	return c.eventually(ctx, func() (bool, string, error) {
		out, err := c.EC2.DescribeReplaceRootVolumeTasks(
			ctx, &ec2.DescribeReplaceRootVolumeTasksInput{ReplaceRootVolumeTaskIds: []string{*task}},
		)
		if err != nil || len(out.ReplaceRootVolumeTasks) != 1 {
			return false, "there is no task", err
		}
		state := out.ReplaceRootVolumeTasks[0].TaskState
		if strings.HasPrefix(string(state), "failed") {
			return false, "", fmt.Errorf("the replacement ended as %s", state)
		}
		return state == types.ReplaceRootVolumeTaskStateSucceeded, "the replacement is " + string(state), nil
	})
}

func rootTwice() Question {
	return Question{
		Name:     "root-replaced-twice-at-once",
		Asks:     "Which code has CreateReplaceRootVolumeTask while another runs for the instance?",
		Believed: "IncorrectState",
		Matters:  "a restore that meets another waits for it, and goes on",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			id, _, snapshot, err := c.rooted(ctx, "twice", c.Image)
			if err != nil {
				return "", err
			}
			task, err := c.replaceRoot(ctx, id, snapshot)
			if err != nil {
				return "", err
			}
			_, second := c.replaceRoot(ctx, id, snapshot)
			answer, err := codeOf(second)
			if err != nil {
				return "", err
			}
			return answer, c.untilReplaced(ctx, task)
		},
	}
}

func rootStopping() Question {
	return Question{
		Name:     "root-replaced-while-stopping",
		Asks:     "Which code has CreateReplaceRootVolumeTask for an instance that is stopping, or has stopped?",
		Believed: "IncorrectInstanceState",
		Matters:  "an instance that somebody stops while it is out is started before its root is replaced",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			id, _, snapshot, err := c.rooted(ctx, "stopping", c.Image)
			if err != nil {
				return "", err
			}
			if _, err := c.EC2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}}); err != nil {
				return "", err
			}
			_, err = c.replaceRoot(ctx, id, snapshot)
			return codeOf(err)
		},
	}
}

func rootUnknown() Question {
	return Question{
		Name:     "root-task-unknown",
		Asks:     "Which code has DescribeReplaceRootVolumeTasks for a task that there is not?",
		Believed: "InvalidReplaceRootVolumeTaskId.NotFound",
		Matters:  "a task that is not listed yet is looked for again",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			out, err := c.EC2.DescribeReplaceRootVolumeTasks(ctx, &ec2.DescribeReplaceRootVolumeTasksInput{
				ReplaceRootVolumeTaskIds: []string{"replacevol-0123456789abcdef0"},
			})
			if err == nil {
				return fmt.Sprintf("%d tasks", len(out.ReplaceRootVolumeTasks)), nil
			}
			return codeOf(err)
		},
	}
}

func rootSpeed() Question {
	return Question{
		Name:     "root-replaced-speed",
		Asks:     "Has a root volume that was made of a snapshot the IOPS and throughput of the one it takes the place of?",
		Believed: "the same type, IOPS and throughput",
		Doubts:   map[string]string{"speed-not-restored": "the same type, other IOPS, other throughput"},
		Matters:  "a machine that is put back may be slower than it was",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			before, after, err := c.replaced(ctx, "speed")
			if err != nil {
				return "", err
			}
			same := before.VolumeType == after.VolumeType
			iops, throughput := aws.ToInt32(after.Iops) == rootIOPS, aws.ToInt32(after.Throughput) == rootThroughput
			if same && iops && throughput {
				return "the same type, IOPS and throughput", nil
			}
			word := map[bool]string{true: "the same", false: "other"}
			kind := map[bool]string{true: "the same", false: "another"}
			return fmt.Sprintf("%s type, %s IOPS, %s throughput", kind[same], word[iops], word[throughput]), nil
		},
	}
}

func rootTags() Question {
	return Question{
		Name:     "root-replaced-tags",
		Asks:     "Has a root volume that was made of a snapshot the tags of the one it takes the place of?",
		Believed: "no",
		Matters:  "Patchtide gives them to it, so that backups and policies by tag go on",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			_, after, err := c.replaced(ctx, "tags")
			if err != nil {
				return "", err
			}
			if slices.ContainsFunc(after.Tags, func(t types.Tag) bool { return aws.ToString(t.Key) == "Owner" }) {
				return "yes", nil
			}
			return "no", nil
		},
	}
}

// replaced replaces the root volume of a machine, and returns the volumes before and after.
func (c *Clients) replaced(ctx context.Context, name string) (before, after types.Volume, err error) {
	id, before, snapshot, err := c.rooted(ctx, name, c.Image)
	if err != nil {
		return before, after, err
	}
	task, err := c.replaceRoot(ctx, id, snapshot)
	if err != nil {
		return before, after, err
	}
	if err := c.untilReplaced(ctx, task); err != nil {
		return before, after, err
	}
	after, err = c.rootOf(ctx, id)
	return before, after, err
}

func rootOfProduct() Question {
	return Question{
		Name:     "root-replaced-of-product",
		Asks:     "May a snapshot take the place of the root volume, when the machine's image has a product code?",
		Believed: "accepted",
		Doubts:   map[string]string{"products-not-restored": "UnsupportedOperation"},
		Matters:  "until it is known, a plan that puts root volumes back refuses such machines before it touches them",
		Needs: func(e *Endpoint) string {
			if e.MarketImage == "" {
				return "an image of the Marketplace, to whose terms the account has agreed"
			}
			return ""
		},
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			id, _, snapshot, err := c.rooted(ctx, "product", c.MarketImage)
			if err != nil {
				return "", err
			}
			task, err := c.replaceRoot(ctx, id, snapshot)
			if err != nil {
				return codeOf(err)
			}
			return "accepted", c.untilReplaced(ctx, task)
		},
	}
}

func keyOfService() Question {
	return Question{
		Name:     "key-by-way-of-ec2",
		Asks:     "What does KMS answer to a dry run by a role that may use the key by way of EC2 only?",
		Believed: "AccessDeniedException",
		Matters:  "such a denial is told and refuses nothing: EC2 may use the key for us",
		Needs: func(e *Endpoint) string {
			if e.EC2Key == "" {
				return "a key of KMS that the role may use by way of EC2 only"
			}
			return ""
		},
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			_, err := c.KMS.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{
				KeyId: &c.EC2Key, KeySpec: kmstypes.DataKeySpecAes256, DryRun: aws.Bool(true),
			})
			return codeOf(err)
		},
	}
}
