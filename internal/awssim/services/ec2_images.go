package services

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerEC2Images(r *api.Registry, w *world.World) {
	api.Handle(
		// No image here is deprecated or disabled: who asks for those as well gets the same.
		r, "ec2", "DescribeImages", []string{"Filters", "ImageIds", "Owners", "IncludeDeprecated", "IncludeDisabled"},
		func(c api.Call, in *ec2.DescribeImagesInput) (*ec2.DescribeImagesOutput, error) {
			for _, owner := range in.Owners {
				if owner != "self" && owner != "amazon" && !allDigits(owner) {
					return nil, api.NotModelled("ec2:DescribeImages of owner %s", owner)
				}
			}
			region := regionOf(w, c)
			chosen, err := byID(
				slices.Concat(region.Images(), region.SharedImages()), in.ImageIds, func(i *world.Image) string { return i.ID },
				"InvalidAMIID.NotFound", "image",
			)
			if err != nil {
				return nil, err
			}
			chosen, err = filtered(
				"DescribeImages", chosen, in.Filters, func(i *world.Image) world.Tags { return i.Tags }, imageFilter,
			)
			out := &ec2.DescribeImagesOutput{Images: []types.Image{}}
			for _, image := range chosen {
				if view := ec2Image(image, c.Account); ownedBy(in.Owners, *view.OwnerId, c.Account) {
					out.Images = append(out.Images, view)
				}
			}
			return out, err
		})
	api.Handle(r, "ec2", "CreateImage",
		[]string{"InstanceId", "Name", "Description", "NoReboot", "TagSpecifications", "BlockDeviceMappings"},
		func(c api.Call, in *ec2.CreateImageInput) (*ec2.CreateImageOutput, error) {
			all, err := specifiedFor(in.TagSpecifications, types.ResourceTypeImage, types.ResourceTypeSnapshot)
			if err != nil {
				return nil, err
			}
			for _, device := range in.BlockDeviceMappings { // images here have a root only: what is left out is not there
				root := aws.ToString(device.DeviceName) == world.RootDevice
				if root && device.Ebs != nil { // what is launched here takes its root along either way
					rest := *device.Ebs
					rest.DeleteOnTermination = nil
					if unknown := setFields(rest); len(unknown) > 0 {
						return nil, api.NotModelled("%v of the root in ec2:CreateImage", unknown)
					}
					continue
				}
				if device.NoDevice == nil || root {
					return nil, api.NotModelled("device %s in ec2:CreateImage", aws.ToString(device.DeviceName))
				}
			}
			tags := all[types.ResourceTypeImage]
			image, err := regionOf(w, c).CreateImage(
				aws.ToString(in.InstanceId), aws.ToString(in.Name), aws.ToString(in.Description), aws.ToBool(in.NoReboot), tags,
			)
			if err != nil {
				return nil, err
			}
			maps.Copy(regionOf(w, c).Snapshot(image.Snapshot).Tags, all[types.ResourceTypeSnapshot])
			return &ec2.CreateImageOutput{ImageId: &image.ID}, nil
		})
	api.Handle(
		r, "ec2", "DeregisterImage", []string{"ImageId"},
		func(c api.Call, in *ec2.DeregisterImageInput) (*ec2.DeregisterImageOutput, error) {
			return &ec2.DeregisterImageOutput{Return: aws.Bool(true)}, regionOf(w, c).DeregisterImage(aws.ToString(in.ImageId))
		})
	api.Handle(r, "ec2", "CreateSnapshots", []string{"InstanceSpecification", "Description", "TagSpecifications"},
		func(c api.Call, in *ec2.CreateSnapshotsInput) (*ec2.CreateSnapshotsOutput, error) {
			return createSnapshots(w, c, in)
		})
	api.Handle(r, "ec2", "DescribeInstanceTypes", []string{"InstanceTypes", "MaxResults", "NextToken"},
		func(_ api.Call, in *ec2.DescribeInstanceTypesInput) (*ec2.DescribeInstanceTypesOutput, error) {
			if len(in.InstanceTypes) == 0 {
				return nil, api.NotModelled("ec2:DescribeInstanceTypes without InstanceTypes")
			}
			var unknown []string
			for _, name := range in.InstanceTypes {
				if knownType(name) != nil {
					unknown = append(unknown, string(name))
				}
			}
			if len(unknown) > 0 {
				return nil, api.Errorf(
					"InvalidInstanceType", "The following supplied instance types do not exist: [%s]", strings.Join(unknown, ", "),
				)
			}
			out := &ec2.DescribeInstanceTypesOutput{}
			for _, name := range in.InstanceTypes {
				out.InstanceTypes = append(out.InstanceTypes, instanceType(name))
			}
			return out, nil
		})
}

func allDigits(text string) bool {
	for _, digit := range text {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	return text != ""
}

// ownedBy applies the Owners of a request; none means all.
func ownedBy(owners []string, owner, self string) bool {
	for _, wanted := range owners {
		if wanted == owner || wanted == "self" && owner == self {
			return true
		}
	}
	return len(owners) == 0
}

func ec2Image(image *world.Image, account string) types.Image {
	owner := image.Owner
	if owner == "" {
		owner = account
	}
	view := types.Image{
		ImageId: aws.String(image.ID), Name: aws.String(image.Name), State: types.ImageState(image.State()), OwnerId: &owner,
		RootDeviceType: types.DeviceTypeEbs, RootDeviceName: aws.String(world.RootDevice), Tags: ec2Tags(image.Tags),
		CreationDate: aws.String(image.Created.UTC().Format(time.RFC3339)),
		Description:  notEmpty(image.Description), VirtualizationType: types.VirtualizationTypeHvm, Public: aws.Bool(false),
		ImageType: types.ImageTypeValuesMachine,
	}
	tellImageKind(&view, image)
	if image.State() == "failed" && image.Reason != "" {
		view.StateReason = &types.StateReason{Code: aws.String("InternalError"), Message: aws.String(image.Reason)}
	}
	view.BlockDeviceMappings = []types.BlockDeviceMapping{{
		DeviceName: aws.String(world.RootDevice),
		Ebs:        &types.EbsBlockDevice{SnapshotId: notEmpty(image.Snapshot), VolumeSize: aws.Int32(world.SizeGiB)},
	}}
	if image.OS().Windows() {
		view.Platform, view.PlatformDetails = types.PlatformValuesWindows, aws.String("Windows")
	}
	for _, device := range image.Data {
		view.BlockDeviceMappings = append(view.BlockDeviceMappings, types.BlockDeviceMapping{
			DeviceName: aws.String(device), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(world.SizeGiB)},
		})
	}
	return view
}

// createSnapshots snapshots the volumes of an instance, which here is its root.
func createSnapshots(w *world.World, c api.Call, in *ec2.CreateSnapshotsInput) (*ec2.CreateSnapshotsOutput, error) {
	tags, err := specified(in.TagSpecifications, types.ResourceTypeSnapshot)
	if err != nil {
		return nil, err
	}
	if in.InstanceSpecification == nil {
		return nil, api.Errorf("MissingParameter", "The request must contain the parameter InstanceSpecification")
	}
	rest := *in.InstanceSpecification
	rest.InstanceId, rest.ExcludeBootVolume = nil, nil
	if unknown := setFields(rest); len(unknown) > 0 {
		return nil, api.NotModelled("%v in the InstanceSpecification of ec2:CreateSnapshots", unknown)
	}
	chosen, err := chooseInstances(regionOf(w, c), "", []string{aws.ToString(in.InstanceSpecification.InstanceId)}, nil)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateSnapshotsOutput{Snapshots: []types.SnapshotInfo{}}
	if aws.ToBool(in.InstanceSpecification.ExcludeBootVolume) || chosen[0].RootVolume == "" {
		return out, nil
	}
	snapshot, err := regionOf(w, c).CreateSnapshot(chosen[0].RootVolume, aws.ToString(in.Description), tags)
	if err != nil {
		return nil, err
	}
	s := ec2Snapshot(snapshot)
	out.Snapshots = append(out.Snapshots, types.SnapshotInfo{
		SnapshotId: s.SnapshotId, VolumeId: s.VolumeId, State: s.State, StartTime: s.StartTime, Progress: s.Progress,
		Description: s.Description, Tags: s.Tags, OwnerId: s.OwnerId, VolumeSize: s.VolumeSize, Encrypted: s.Encrypted,
	})
	return out, nil
}

// instanceType says of any type what Patchtide asks: whether it is bare metal, and that its root is on EBS.
func instanceType(name types.InstanceType) types.InstanceTypeInfo {
	metal := world.Matches("*.metal*", string(name))
	info := types.InstanceTypeInfo{
		InstanceType: name, BareMetal: aws.Bool(metal), CurrentGeneration: aws.Bool(true),
		InstanceStorageSupported: aws.Bool(false),
		SupportedRootDeviceTypes: []types.RootDeviceType{types.RootDeviceTypeEbs},
		SupportedUsageClasses:    []types.UsageClassType{types.UsageClassTypeOnDemand, types.UsageClassTypeSpot},
	}
	if !metal {
		info.Hypervisor = types.InstanceTypeHypervisorNitro
	}
	return info
}
