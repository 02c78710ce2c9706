package services

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// byID picks things by id, or all of them; an unknown id is an error with this code.
func byID[T any](all []T, ids []string, id func(T) string, code, what string) ([]T, error) {
	if len(ids) == 0 {
		return all, nil
	}
	chosen := []T{}
	for _, wanted := range ids {
		prefix, _, _ := strings.Cut(wanted, "-")
		if err := wellFormed(prefix, wanted); malformed[prefix] != "" && err != nil {
			return nil, err
		}
		n := slices.IndexFunc(all, func(thing T) bool { return id(thing) == wanted })
		if n < 0 {
			if what == "image" {
				return nil, api.Errorf(code, "The image id '[%s]' does not exist", wanted)
			}
			return nil, api.Errorf(code, "The %s '%s' does not exist.", what, wanted)
		}
		chosen = append(chosen, all[n])
	}
	return chosen, nil
}

func registerEC2Storage(r *api.Registry, w *world.World) {
	api.Handle(r, "ec2", "GetEbsEncryptionByDefault", nil,
		func(c api.Call, _ *ec2.GetEbsEncryptionByDefaultInput) (*ec2.GetEbsEncryptionByDefaultOutput, error) {
			return &ec2.GetEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: &regionOf(w, c).EncryptsByDefault}, nil
		})
	api.Handle(r, "ec2", "GetEbsDefaultKmsKeyId", nil,
		func(c api.Call, _ *ec2.GetEbsDefaultKmsKeyIdInput) (*ec2.GetEbsDefaultKmsKeyIdOutput, error) {
			key := regionOf(w, c).EBSKey()
			if regionOf(w, c).DefaultKey == "" {
				return &ec2.GetEbsDefaultKmsKeyIdOutput{KmsKeyId: aws.String(key.Alias)}, nil
			}
			return &ec2.GetEbsDefaultKmsKeyIdOutput{KmsKeyId: &key.ARN}, nil
		})
	api.Handle(r, "ec2", "DescribeVolumes", []string{"Filters", "VolumeIds", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeVolumesInput) (*ec2.DescribeVolumesOutput, error) {
			chosen, err := byID(
				regionOf(w, c).Volumes(), in.VolumeIds, func(v *world.Volume) string { return v.ID }, "InvalidVolume.NotFound",
				"volume",
			)
			if err != nil {
				return nil, err
			}
			chosen, err = filtered(
				"DescribeVolumes", chosen, in.Filters, func(v *world.Volume) world.Tags { return v.Tags }, volumeFilter,
			)
			if err != nil {
				return nil, err
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, pageRange{5, 1000, 500}, "InvalidParameterValue")
			if err != nil {
				return nil, err
			}
			out := &ec2.DescribeVolumesOutput{NextToken: next}
			for _, volume := range page {
				out.Volumes = append(out.Volumes, ec2Volume(volume))
			}
			return out, nil
		})
	api.Handle(
		r, "ec2", "DeleteVolume", []string{"VolumeId"},
		func(c api.Call, in *ec2.DeleteVolumeInput) (*ec2.DeleteVolumeOutput, error) {
			return &ec2.DeleteVolumeOutput{}, regionOf(w, c).DeleteVolume(aws.ToString(in.VolumeId))
		})
	api.Handle(r, "ec2", "CreateSnapshot", []string{"VolumeId", "Description", "TagSpecifications"},
		func(c api.Call, in *ec2.CreateSnapshotInput) (*ec2.CreateSnapshotOutput, error) {
			tags, err := specified(in.TagSpecifications, types.ResourceTypeSnapshot)
			if err != nil {
				return nil, err
			}
			snapshot, err := regionOf(w, c).CreateSnapshot(aws.ToString(in.VolumeId), aws.ToString(in.Description), tags)
			if err != nil {
				return nil, err
			}
			s := ec2Snapshot(snapshot)
			return &ec2.CreateSnapshotOutput{
				SnapshotId: s.SnapshotId, VolumeId: s.VolumeId, State: s.State, StartTime: s.StartTime, Progress: s.Progress,
				Description: s.Description, Tags: s.Tags, OwnerId: s.OwnerId, VolumeSize: s.VolumeSize, Encrypted: s.Encrypted,
			}, nil
		})
	api.Handle(r, "ec2", "DescribeSnapshots", []string{"Filters", "SnapshotIds", "OwnerIds", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeSnapshotsInput) (*ec2.DescribeSnapshotsOutput, error) {
			for _, owner := range in.OwnerIds {
				if owner != "self" && owner != c.Account {
					return nil, api.NotModelled("ec2:DescribeSnapshots of owner %s", owner)
				}
			}
			chosen, err := byID(
				regionOf(w, c).Snapshots(), in.SnapshotIds, func(s *world.Snapshot) string { return s.ID },
				"InvalidSnapshot.NotFound", "snapshot",
			)
			if err != nil {
				return nil, err
			}
			chosen, err = filtered(
				"DescribeSnapshots", chosen, in.Filters, func(s *world.Snapshot) world.Tags { return s.Tags }, snapshotFilter,
			)
			if err != nil {
				return nil, err
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, pageRange{5, 1000, 1000}, "InvalidParameterValue")
			if err != nil {
				return nil, err
			}
			out := &ec2.DescribeSnapshotsOutput{NextToken: next}
			for _, snapshot := range page {
				out.Snapshots = append(out.Snapshots, ec2Snapshot(snapshot))
			}
			return out, nil
		})
	api.Handle(
		r, "ec2", "DeleteSnapshot", []string{"SnapshotId"},
		func(c api.Call, in *ec2.DeleteSnapshotInput) (*ec2.DeleteSnapshotOutput, error) {
			return &ec2.DeleteSnapshotOutput{}, regionOf(w, c).DeleteSnapshot(aws.ToString(in.SnapshotId))
		})
	api.Handle(
		r,
		"ec2",
		"DescribeSecurityGroups",
		[]string{"Filters", "GroupIds", "GroupNames", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeSecurityGroupsInput) (*ec2.DescribeSecurityGroupsOutput, error) {
			region := regionOf(w, c)
			chosen, err := byID(
				region.SecurityGroups(), in.GroupIds, func(g *world.SecurityGroup) string { return g.ID }, "InvalidGroup.NotFound",
				"security group",
			)
			if err == nil {
				chosen, err = byID(
					chosen, in.GroupNames, func(g *world.SecurityGroup) string { return g.Name }, "InvalidGroup.NotFound",
					"security group",
				)
			}
			if err != nil {
				return nil, err
			}
			chosen, err = filtered(
				"DescribeSecurityGroups",
				chosen,
				in.Filters,
				func(g *world.SecurityGroup) world.Tags { return g.Tags },
				func(g *world.SecurityGroup, name string) ([]string, bool) {
					switch name {
					case "group-name":
						return []string{g.Name}, true
					case "group-id":
						return []string{g.ID}, true
					case "vpc-id":
						return []string{g.VPC}, true
					}
					return nil, false
				},
			)
			if err != nil {
				return nil, err
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, pageRange{5, 1000, 1000}, "InvalidParameterValue")
			out := &ec2.DescribeSecurityGroupsOutput{NextToken: next}
			for _, group := range page {
				out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{
					GroupId: aws.String(group.ID), GroupName: aws.String(group.Name), Description: aws.String(group.Description),
					VpcId: aws.String(group.VPC), OwnerId: aws.String(c.Account), Tags: ec2Tags(group.Tags),
					IpPermissions: permissionViews(group.In, c.Account), IpPermissionsEgress: permissionViews(group.Out, c.Account),
				})
			}
			return out, err
		},
	)
	api.Handle(r, "ec2", "CreateSecurityGroup", []string{"Description", "GroupName", "VpcId", "TagSpecifications"},
		func(c api.Call, in *ec2.CreateSecurityGroupInput) (*ec2.CreateSecurityGroupOutput, error) {
			tags, err := specified(in.TagSpecifications, types.ResourceTypeSecurityGroup)
			if err != nil {
				return nil, err
			}
			group, err := regionOf(w, c).CreateSecurityGroup(
				aws.ToString(in.GroupName), aws.ToString(in.Description), aws.ToString(in.VpcId),
			)
			if err != nil {
				return nil, err
			}
			group.Tags = tags
			return &ec2.CreateSecurityGroupOutput{GroupId: aws.String(group.ID), Tags: ec2Tags(tags)}, nil
		})
}

func registerEC2Roots(r *api.Registry, w *world.World) {
	api.Handle(
		r,
		"ec2",
		"CreateReplaceRootVolumeTask",
		[]string{"InstanceId", "SnapshotId", "ImageId", "ClientToken", "DeleteReplacedRootVolume", "TagSpecifications"},
		func(c api.Call, in *ec2.CreateReplaceRootVolumeTaskInput) (*ec2.CreateReplaceRootVolumeTaskOutput, error) {
			tags, err := specified(in.TagSpecifications, types.ResourceTypeReplaceRootVolumeTask)
			if err != nil {
				return nil, err
			}
			if in.SnapshotId != nil && in.ImageId != nil {
				return nil, api.Errorf("InvalidParameterCombination", "Specify a snapshot or an image, and not both.")
			}
			if in.ImageId != nil {
				if err := wellFormed("ami", *in.ImageId); err != nil {
					return nil, err
				}
			}
			task, err := regionOf(
				w,
				c,
			).ReplaceRoot(
				aws.ToString(in.InstanceId),
				aws.ToString(in.SnapshotId)+aws.ToString(in.ImageId),
				aws.ToString(in.ClientToken),
				aws.ToBool(in.DeleteReplacedRootVolume),
				tags,
			)
			if err != nil {
				return nil, err
			}
			out := ec2RootTask(task)
			return &ec2.CreateReplaceRootVolumeTaskOutput{ReplaceRootVolumeTask: &out}, nil
		},
	)
	api.Handle(
		r,
		"ec2",
		"DescribeReplaceRootVolumeTasks",
		[]string{"Filters", "ReplaceRootVolumeTaskIds", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeReplaceRootVolumeTasksInput) (*ec2.DescribeReplaceRootVolumeTasksOutput, error) {
			chosen, err := byID(
				regionOf(w, c).RootTasks(),
				in.ReplaceRootVolumeTaskIds,
				func(t *world.RootTask) string { return t.ID },
				"InvalidReplaceRootVolumeTaskId.NotFound",
				"root volume replacement task",
			)
			if err != nil {
				return nil, err
			}
			chosen, err = filtered(
				"DescribeReplaceRootVolumeTasks",
				chosen,
				in.Filters,
				func(t *world.RootTask) world.Tags { return t.Tags },
				func(t *world.RootTask, name string) ([]string, bool) {
					if name == "instance-id" {
						return []string{t.Instance}, true
					}
					return nil, false
				},
			)
			if err != nil {
				return nil, err
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, pageRange{1, 50, 50}, "InvalidParameterValue")
			out := &ec2.DescribeReplaceRootVolumeTasksOutput{NextToken: next}
			for _, task := range page {
				out.ReplaceRootVolumeTasks = append(out.ReplaceRootVolumeTasks, ec2RootTask(task))
			}
			return out, err
		},
	)
}

func ec2RootTask(t *world.RootTask) types.ReplaceRootVolumeTask {
	out := types.ReplaceRootVolumeTask{
		ReplaceRootVolumeTaskId: aws.String(t.ID), InstanceId: aws.String(t.Instance),
		TaskState: types.ReplaceRootVolumeTaskState(t.State),
		StartTime: aws.String(t.Started.UTC().Format(time.RFC3339)), DeleteReplacedRootVolume: aws.Bool(t.DeletesOld),
		Tags: ec2Tags(t.Tags),
	}
	out.ImageId = notEmpty(t.ImageID)
	if t.SnapshotID != "" {
		out.SnapshotId = aws.String(t.SnapshotID)
	}
	if t.Ended() {
		out.CompleteTime = aws.String(t.Completed.UTC().Format(time.RFC3339))
	}
	return out
}

func ec2Volume(v *world.Volume) types.Volume {
	out := types.Volume{
		VolumeId: aws.String(v.ID), AvailabilityZone: aws.String(v.Zone), State: types.VolumeStateAvailable,
		Size:       aws.Int32(world.SizeGiB),
		VolumeType: types.VolumeType(v.Type), CreateTime: aws.Time(v.Created), Encrypted: aws.Bool(v.Key != ""),
		KmsKeyId: notEmpty(v.Key), Tags: ec2Tags(v.Tags),
		SnapshotId: aws.String(v.Snapshot),
	}
	if v.Type == "gp3" {
		out.Iops, out.Throughput = &v.IOPS, &v.Throughput
	}
	if v.Attached != "" {
		out.State = types.VolumeStateInUse
		out.Attachments = []types.VolumeAttachment{{
			InstanceId: aws.String(v.Attached), VolumeId: aws.String(v.ID), Device: aws.String(v.Device),
			State: types.VolumeAttachmentStateAttached, AttachTime: aws.Time(v.Created),
			DeleteOnTermination: aws.Bool(v.Device == world.RootDevice),
		}}
	}
	return out
}

func volumeFilter(v *world.Volume, name string) ([]string, bool) {
	switch name {
	case "volume-id":
		return []string{v.ID}, true
	case "snapshot-id":
		return []string{v.Snapshot}, true
	case "status":
		if v.Attached != "" {
			return []string{"in-use"}, true
		}
		return []string{"available"}, true
	case "availability-zone":
		return []string{v.Zone}, true
	case "volume-type":
		return []string{v.Type}, true
	case "attachment.instance-id":
		return []string{v.Attached}, true
	case "attachment.device":
		if v.Attached != "" {
			return []string{v.Device}, true
		}
		return nil, true
	}
	return nil, false
}

func ec2Snapshot(s *world.Snapshot) types.Snapshot {
	out := types.Snapshot{
		SnapshotId: aws.String(s.ID), VolumeId: aws.String(s.Volume), State: types.SnapshotState(s.State),
		StartTime: aws.Time(s.Started),
		Progress:  aws.String(s.Progress), Description: aws.String(s.Description), Tags: ec2Tags(s.Tags),
		OwnerId:    aws.String(s.Region.Account.ID),
		VolumeSize: aws.Int32(world.SizeGiB), Encrypted: aws.Bool(s.Key != ""), KmsKeyId: notEmpty(s.Key),
		StorageTier: types.StorageTierStandard,
	}
	if !s.Completed.IsZero() {
		out.CompletionTime = aws.Time(s.Completed)
	}
	return out
}

func snapshotFilter(s *world.Snapshot, name string) ([]string, bool) {
	switch name {
	case "snapshot-id":
		return []string{s.ID}, true
	case "volume-id":
		return []string{s.Volume}, true
	case "status":
		return []string{s.State}, true
	case "description":
		return []string{s.Description}, true
	}
	return nil, false
}

func imageFilter(i *world.Image, name string) ([]string, bool) {
	switch name {
	case "name":
		return []string{i.Name}, true
	case "architecture":
		return []string{string(types.ArchitectureValuesX8664)}, true
	case "root-device-type":
		return []string{string(types.DeviceTypeEbs)}, true
	case "virtualization-type":
		return []string{string(types.VirtualizationTypeHvm)}, true
	case "image-type":
		return []string{string(types.ImageTypeValuesMachine)}, true
	case "is-public":
		return []string{"false"}, true
	case "owner-alias":
		return nil, true // of images of Amazon and of the Marketplace; these are the account's own
	case "image-id":
		return []string{i.ID}, true
	case "state":
		return []string{i.State()}, true
	}
	return nil, false
}
