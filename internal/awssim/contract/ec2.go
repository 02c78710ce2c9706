package contract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// run launches one instance and sees to its end.
func (c *Clients) run(ctx context.Context, name string) (string, error) {
	return c.runWith(ctx, name, func(*ec2.RunInstancesInput) {})
}

// runWith is run with a request that differs.
func (c *Clients) runWith(ctx context.Context, name string, change func(*ec2.RunInstancesInput)) (string, error) {
	in := &ec2.RunInstancesInput{
		ImageId: &c.Image, InstanceType: types.InstanceType(c.Type), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		Placement:         &types.Placement{AvailabilityZone: &c.Zones[0]},
		TagSpecifications: []types.TagSpecification{c.named(types.ResourceTypeInstance, name)},
	}
	change(in)
	out, err := c.EC2.RunInstances(ctx, in)
	if err != nil {
		return "", err
	}
	id := *out.Instances[0].InstanceId
	c.endLater(id)
	return id, nil
}

// endLater has an instance terminated when the scenario is over.
func (c *Clients) endLater(id string) {
	c.Later(func(ctx context.Context) error {
		_, err := c.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
		return err
	})
}

// named is the tag Name of what is made, with the prefix by which it is known.
func (c *Clients) named(kind types.ResourceType, name string) types.TagSpecification {
	return types.TagSpecification{
		ResourceType: kind, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String(c.Prefix + name)}},
	}
}

func (c *Clients) instance(ctx context.Context, id string) (types.Instance, error) {
	out, err := c.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return types.Instance{}, err
	}
	if len(out.Reservations) == 0 || len(out.Reservations[0].Instances) == 0 {
		return types.Instance{}, fmt.Errorf("EC2 does not list %s", id)
	}
	return out.Reservations[0].Instances[0], nil
}

func (c *Clients) untilInstance(ctx context.Context, id string, state types.InstanceStateName) error {
	return c.eventually(ctx, func() (bool, string, error) {
		instance, err := c.instance(ctx, id)
		if err != nil {
			return false, "", err
		}
		return instance.State.Name == state, fmt.Sprintf("%s is %s, not %s", id, instance.State.Name, state), nil
	})
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

func machines() Scenario {
	return Scenario{Name: "machines", Steps: func(c *Clients) []Step {
		var id, root, snapshot string
		return []Step{
			{"an instance is launched and runs", func(ctx context.Context) (err error) {
				if id, err = c.run(ctx, "machine"); err != nil {
					return err
				}
				return c.untilInstance(ctx, id, types.InstanceStateNameRunning)
			}},
			{"it has a root volume, an address, a zone and its tags", func(ctx context.Context) error {
				instance, err := c.instance(ctx, id)
				if err != nil {
					return err
				}
				if len(instance.BlockDeviceMappings) == 0 || aws.ToString(instance.PrivateIpAddress) == "" {
					return fmt.Errorf(
						"%d volumes, address %q", len(instance.BlockDeviceMappings), aws.ToString(instance.PrivateIpAddress),
					)
				}
				root = *instance.BlockDeviceMappings[0].Ebs.VolumeId
				return errors.Join(
					same("root device type", types.DeviceTypeEbs, instance.RootDeviceType),
					same("zone", c.Zones[0], *instance.Placement.AvailabilityZone),
					same("image", c.Image, *instance.ImageId), same("number of tags", 1, len(instance.Tags)),
				)
			}},
			{"it is found by tag, state and wildcard", func(ctx context.Context) error {
				for _, filters := range [][]types.Filter{
					{filter("tag:Name", c.Prefix+"machine"), filter("instance-state-name", "running", "pending")},
					{filter("tag:Name", c.Prefix+"mach*")},
					{filter("tag-key", "Name"), filter("instance-id", id)},
				} {
					out, err := c.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filters})
					if err != nil {
						return err
					}
					if len(out.Reservations) != 1 || *out.Reservations[0].Instances[0].InstanceId != id {
						return fmt.Errorf("filter %s finds %d reservations", *filters[0].Name, len(out.Reservations))
					}
				}
				out, err := c.EC2.DescribeInstances(
					ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{filter("tag:Name", c.Prefix+"MACHINE")}},
				)
				if err != nil {
					return err
				}
				return same("found by a tag of other case", 0, len(out.Reservations))
			}},
			{"tags come, change and go", func(ctx context.Context) error {
				tag := func(key, value string) []types.Tag { return []types.Tag{{Key: &key, Value: &value}} }
				for _, value := range []string{"one", "two"} {
					if _, err := c.EC2.CreateTags(
						ctx, &ec2.CreateTagsInput{Resources: []string{id, root}, Tags: tag("Wave", value)},
					); err != nil {
						return err
					}
				}
				read := func() ([]types.TagDescription, error) {
					out, err := c.EC2.DescribeTags(
						ctx, &ec2.DescribeTagsInput{Filters: []types.Filter{filter("resource-id", id, root), filter("key", "Wave")}},
					)
					if err != nil {
						return nil, err
					}
					return out.Tags, nil
				}
				tags, err := read()
				if err != nil {
					return err
				}
				if len(tags) != 2 || *tags[0].Value != "two" || *tags[1].Value != "two" {
					return fmt.Errorf("got %d tags", len(tags))
				}
				// A tag is deleted only with the value it has, or with none given.
				if _, err := c.EC2.DeleteTags(
					ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: tag("Wave", "one")},
				); err != nil {
					return err
				}
				if _, err := c.EC2.DeleteTags(
					ctx, &ec2.DeleteTagsInput{Resources: []string{root}, Tags: []types.Tag{{Key: aws.String("Wave")}}},
				); err != nil {
					return err
				}
				if tags, err = read(); err != nil {
					return err
				}
				if len(tags) != 1 || *tags[0].ResourceId != id {
					return fmt.Errorf("%d tags are left and one should be", len(tags))
				}
				return nil
			}},
			{"its checks pass in the end", func(ctx context.Context) error {
				return c.eventually(ctx, func() (bool, string, error) {
					out, err := c.EC2.DescribeInstanceStatus(ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}})
					if err != nil || len(out.InstanceStatuses) == 0 {
						return false, "no status", err
					}
					status := out.InstanceStatuses[0]
					return status.InstanceStatus.Status == types.SummaryStatusOk &&
						status.SystemStatus.Status == types.SummaryStatusOk, "checks not passed", nil
				})
			}},
			{"its root volume is in use by it", func(ctx context.Context) error {
				out, err := c.EC2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{root}})
				if err != nil {
					return err
				}
				volume := out.Volumes[0]
				if len(volume.Attachments) != 1 {
					return fmt.Errorf("it has %d attachments", len(volume.Attachments))
				}
				return errors.Join(
					same("state", types.VolumeStateInUse, volume.State), same("attached to", id, *volume.Attachments[0].InstanceId),
					same("zone", c.Zones[0], *volume.AvailabilityZone),
				)
			}},
			{"a snapshot is taken with tags and completes", func(ctx context.Context) error {
				out, err := c.EC2.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{
					VolumeId: &root, Description: aws.String("contract"),
					TagSpecifications: []types.TagSpecification{
						{
							ResourceType: types.ResourceTypeSnapshot,
							Tags:         []types.Tag{{Key: aws.String("Wave"), Value: aws.String(c.Prefix)}},
						},
					},
				})
				if err != nil {
					return err
				}
				snapshot = *out.SnapshotId
				c.Later(func(ctx context.Context) error {
					_, err := c.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &snapshot})
					if refused(err, "InvalidSnapshot.NotFound") == nil {
						return nil // the step below has deleted it
					}
					return err
				})
				if err := same("volume", root, *out.VolumeId); err != nil {
					return err
				}
				return c.eventually(ctx, func() (bool, string, error) {
					out, err := c.EC2.DescribeSnapshots(
						ctx,
						&ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, Filters: []types.Filter{filter("tag:Wave", c.Prefix)}},
					)
					if err != nil || len(out.Snapshots) != 1 {
						return false, "not found by its tag", err
					}
					return out.Snapshots[0].State == types.SnapshotStateCompleted, "the snapshot is " +
						string(out.Snapshots[0].State), nil
				})
			}},
			{"a deleted snapshot is gone", func(ctx context.Context) error {
				if _, err := c.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &snapshot}); err != nil {
					return err
				}
				_, err := c.EC2.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{SnapshotIds: []string{snapshot}})
				return refused(err, "InvalidSnapshot.NotFound")
			}},
			{"a volume in use cannot be deleted", func(ctx context.Context) error {
				_, err := c.EC2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &root})
				return refused(err, "VolumeInUse")
			}},
			{"it stops and starts, its root and its id unchanged", func(ctx context.Context) error {
				if _, err := c.EC2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}}); err != nil {
					return err
				}
				if err := c.untilInstance(ctx, id, types.InstanceStateNameStopped); err != nil {
					return err
				}
				if _, err := c.EC2.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}}); err != nil {
					return err
				}
				if err := c.untilInstance(ctx, id, types.InstanceStateNameRunning); err != nil {
					return err
				}
				instance, err := c.instance(ctx, id)
				if err != nil {
					return err
				}
				return same("root volume", root, *instance.BlockDeviceMappings[0].Ebs.VolumeId)
			}},
			{"it reboots without ceasing to run", func(ctx context.Context) error {
				if _, err := c.EC2.RebootInstances(ctx, &ec2.RebootInstancesInput{InstanceIds: []string{id}}); err != nil {
					return err
				}
				return c.untilInstance(ctx, id, types.InstanceStateNameRunning)
			}},
			{"terminated, it stays listed and cannot be started", func(ctx context.Context) error {
				if _, err := c.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}); err != nil {
					return err
				}
				if err := c.untilInstance(ctx, id, types.InstanceStateNameTerminated); err != nil {
					return err
				}
				_, err := c.EC2.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
				return refused(err, "IncorrectInstanceState")
			}},
			{"its root volume goes with it", func(ctx context.Context) error {
				return c.eventually(ctx, func() (bool, string, error) {
					_, err := c.EC2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{root}})
					if err == nil {
						return false, "the volume is there", nil
					}
					return true, "", refused(err, "InvalidVolume.NotFound")
				})
			}},
		}
	}}
}

func machineErrors() Scenario {
	return Scenario{Name: "machines, refusals", Steps: func(c *Clients) []Step {
		const nobody, nothing = "i-0123456789abcdef0", "vol-0123456789abcdef0"
		return []Step{
			{"an unknown instance", func(ctx context.Context) error {
				_, err := c.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{nobody}})
				return refused(err, "InvalidInstanceID.NotFound")
			}},
			{"a malformed instance id", func(ctx context.Context) error {
				_, err := c.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{"web-1"}})
				return refused(err, "InvalidInstanceID.Malformed")
			}},
			{"an unknown volume", func(ctx context.Context) error {
				_, err := c.EC2.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: aws.String(nothing)})
				return refused(err, "InvalidVolume.NotFound")
			}},
			{"an unknown image", func(ctx context.Context) error {
				_, err := c.EC2.RunInstances(ctx, &ec2.RunInstancesInput{
					ImageId: aws.String("ami-0123456789abcdef9"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
					InstanceType: types.InstanceType(c.Type),
				})
				return refused(err, "InvalidAMIID.NotFound")
			}},
			{"a tag of AWS's own", func(ctx context.Context) error {
				id, err := c.run(ctx, "tagged")
				if err != nil {
					return err
				}
				_, err = c.EC2.CreateTags(
					ctx,
					&ec2.CreateTagsInput{
						Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("aws:mine"), Value: aws.String("x")}},
					},
				)
				return refused(err, "InvalidParameterValue")
			}},
			{"a template of a name in use", func(ctx context.Context) error {
				if _, err := c.template(ctx, "twice"); err != nil {
					return err
				}
				_, err := c.template(ctx, "twice")
				return refused(err, "InvalidLaunchTemplateName.AlreadyExistsException")
			}},
			{"pages are no smaller than five", func(ctx context.Context) error {
				_, err := c.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(2)})
				return refused(err, "InvalidParameterValue", "InvalidMaxResults")
			}},
			{"ids and pages exclude each other", func(ctx context.Context) error {
				id, err := c.run(ctx, "paged")
				if err != nil {
					return err
				}
				_, err = c.EC2.DescribeInstances(
					ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}, MaxResults: aws.Int32(5)},
				)
				return refused(err, "InvalidParameterCombination")
			}},
			{"images are described", func(ctx context.Context) error {
				out, err := c.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{c.Image}})
				if err != nil {
					return err
				}
				if !slices.ContainsFunc(
					out.Images, func(i types.Image) bool { return strings.HasPrefix(aws.ToString(i.RootDeviceName), "/dev/") },
				) {
					return errors.New("the image has no root device")
				}
				return nil
			}},
		}
	}}
}
