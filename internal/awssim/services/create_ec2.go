package services

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerCreationEC2 registers the calls by which clients make what EC2 keeps.
func registerCreationEC2(r *api.Registry, w *world.World) {
	api.Handle(
		r,
		"ec2",
		"RunInstances",
		[]string{
			"ImageId",
			"InstanceType",
			"MinCount",
			"MaxCount",
			"Placement",
			"SecurityGroupIds",
			"TagSpecifications",
			"ClientToken",
			"SubnetId",
			"LaunchTemplate",
			"BlockDeviceMappings",
		},
		func(c api.Call, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
			return runInstances(w, c, in)
		},
	)
	api.Handle(
		r,
		"ec2",
		"CreateVolume",
		[]string{"AvailabilityZone", "Size", "SnapshotId", "VolumeType", "TagSpecifications", "ClientToken"},
		func(c api.Call, in *ec2.CreateVolumeInput) (*ec2.CreateVolumeOutput, error) {
			tags, err := specified(in.TagSpecifications, types.ResourceTypeVolume)
			if err != nil {
				return nil, err
			}
			if aws.ToString(in.AvailabilityZone) == "" {
				return nil, api.Errorf("MissingParameter", "The request must contain the parameter zone")
			}
			if !regionOf(w, c).HasZone(*in.AvailabilityZone) {
				return nil, api.Errorf("InvalidZone.NotFound", "The zone '%s' does not exist.", *in.AvailabilityZone)
			}
			if in.VolumeType != "" && !slices.Contains(in.VolumeType.Values(), in.VolumeType) {
				return nil, api.Errorf("InvalidParameterValue", "Invalid value '%s' for VolumeType.", in.VolumeType)
			}
			kind := cmp.Or(string(in.VolumeType), "gp2") // what EC2 makes where a request is silent
			switch size := aws.ToInt32(in.Size); {
			case in.Size == nil && in.SnapshotId == nil:
				return nil, api.Errorf("MissingParameter", "The request must contain the parameter size or snapshotId")
			case in.SnapshotId != nil && in.Size != nil && size < world.SizeGiB:
				return nil, api.Errorf(
					"InvalidParameterValue", "The size of a volume cannot be less than that of its snapshot: %d GiB", world.SizeGiB,
				)
			case in.Size != nil && size != world.SizeGiB:
				return nil, api.NotModelled("a volume of %d GiB; every volume has %d", size, world.SizeGiB)
			}
			request := *in.AvailabilityZone + kind + aws.ToString(in.SnapshotId)
			volume, err := world.Once(
				regionOf(w, c), aws.ToString(in.ClientToken), request, func() (*world.Volume, error) {
					volume, err := newVolume(regionOf(w, c), in, tags)
					if err != nil {
						return nil, err
					}
					volume.Type = kind
					return volume, nil
				})
			if err != nil {
				return nil, err
			}
			view := ec2Volume(volume)
			return &ec2.CreateVolumeOutput{
				VolumeId: view.VolumeId, AvailabilityZone: view.AvailabilityZone, State: types.VolumeStateCreating, Size: view.Size,
				CreateTime: view.CreateTime, VolumeType: view.VolumeType, Encrypted: view.Encrypted, SnapshotId: view.SnapshotId,
				Tags: view.Tags,
			}, nil
		},
	)
	registerLaunchTemplates(r, w)
}

// newVolume makes an empty volume, or one with the content of a snapshot.
func newVolume(region *world.Region, in *ec2.CreateVolumeInput, tags world.Tags) (*world.Volume, error) {
	if in.SnapshotId == nil {
		return region.CreateVolume(*in.AvailabilityZone, tags), nil
	}
	if err := wellFormed("snap", *in.SnapshotId); err != nil {
		return nil, err
	}
	return region.CreateVolumeFrom(*in.SnapshotId, *in.AvailabilityZone, tags)
}

func runInstances(w *world.World, c api.Call, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	region := regionOf(w, c)
	tags, err := specifiedFor(in.TagSpecifications, types.ResourceTypeInstance, types.ResourceTypeVolume)
	if err != nil {
		return nil, err
	}
	low, high := aws.ToInt32(in.MinCount), aws.ToInt32(in.MaxCount)
	if low < 1 || high < low {
		return nil, api.Errorf(
			"InvalidParameterValue", "Value (%d) for parameter maxCount is invalid; minCount is %d.", high, low,
		)
	}
	spec, err := launchOf(region, in, tags[types.ResourceTypeInstance])
	if err != nil {
		return nil, err
	}
	if int(high) > world.MaxInstances {
		return nil, api.Errorf(
			"InstanceLimitExceeded", "You have requested more instances (%d) than your current instance limit of %d allows.",
			high, world.MaxInstances,
		)
	}
	root, err := rootOfRequest(in.BlockDeviceMappings)
	if err != nil {
		return nil, err
	}
	request := fmt.Sprint(low, high, spec, root)
	launched, err := world.Once(region, aws.ToString(in.ClientToken), request, func() ([]*world.Instance, error) {
		var launched []*world.Instance
		for range high {
			instance, err := region.Launch(spec)
			if err != nil {
				return nil, err
			}
			volume := region.Volume(instance.RootVolume)
			maps.Copy(volume.Tags, tags[types.ResourceTypeVolume])
			volume.IOPS, volume.Throughput = cmp.Or(root.iops, volume.IOPS), cmp.Or(root.throughput, volume.Throughput)
			launched = append(launched, instance)
		}
		return launched, nil
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.RunInstancesOutput{OwnerId: aws.String(c.Account), Groups: []types.GroupIdentifier{}}
	for _, instance := range launched {
		out.Instances = append(out.Instances, ec2Instance(instance))
		out.ReservationId = aws.String(reservationOf(instance))
	}
	return out, nil
}

// rootSpeed is what a request says of the root volume; 0: nothing.
type rootSpeed struct{ iops, throughput int32 }

// rootOfRequest reads what a request says of the devices, which may only be how fast the root is.
func rootOfRequest(mappings []types.BlockDeviceMapping) (rootSpeed, error) {
	var speed rootSpeed
	for _, mapping := range mappings {
		if aws.ToString(mapping.DeviceName) != world.RootDevice || mapping.Ebs == nil {
			return speed, api.NotModelled("device %s in ec2:RunInstances", aws.ToString(mapping.DeviceName))
		}
		rest := *mapping.Ebs
		speed = rootSpeed{aws.ToInt32(rest.Iops), aws.ToInt32(rest.Throughput)}
		rest.Iops, rest.Throughput = nil, nil
		if rest.VolumeType == types.VolumeTypeGp3 {
			rest.VolumeType = ""
		}
		if unknown := setFields(rest); len(unknown) > 0 {
			return speed, api.NotModelled("%v of a device in ec2:RunInstances", unknown)
		}
	}
	return speed, nil
}

// launchOf is what a request launches, its launch template's data under what it says itself.
func launchOf(region *world.Region, in *ec2.RunInstancesInput, tags world.Tags) (world.LaunchSpec, error) {
	spec := world.LaunchSpec{
		Image: aws.ToString(in.ImageId), Type: string(in.InstanceType), Tags: tags, SecurityGroups: in.SecurityGroupIds,
	}
	if named := in.LaunchTemplate; named != nil {
		template, err := templateNamed(region, named.LaunchTemplateId, named.LaunchTemplateName)
		if err != nil {
			return spec, err
		}
		n, version, err := template.Version(aws.ToString(named.Version))
		if err != nil {
			return spec, err
		}
		spec.Template, spec.Version, spec.Hibernates = template, n, version.Hibernates
		spec.Image, spec.Type = cmp.Or(spec.Image, version.Image), cmp.Or(spec.Type, version.Type)
		spec.Tags = version.Tags.Clone()
		maps.Copy(spec.Tags, tags)
	}
	if spec.Image == "" {
		return spec, api.Errorf("MissingParameter", "The request must contain the parameter ImageId")
	}
	if err := wellFormed("ami", spec.Image); err != nil {
		return spec, err
	}
	if err := knownType(types.InstanceType(spec.Type)); err != nil {
		return spec, err
	}
	if err := wellFormed("sg", in.SecurityGroupIds...); err != nil {
		return spec, err
	}
	for _, id := range in.SecurityGroupIds {
		if _, err := region.SecurityGroup(id); err != nil {
			return spec, err
		}
	}
	return spec, placeOf(region, in, &spec)
}

// placeOf sets the zone, which a subnet or a placement names.
func placeOf(region *world.Region, in *ec2.RunInstancesInput, spec *world.LaunchSpec) error {
	if in.Placement != nil {
		rest := *in.Placement
		rest.AvailabilityZone = nil
		if unknown := setFields(rest); len(unknown) > 0 {
			return api.NotModelled("%v in the Placement of ec2:RunInstances", unknown)
		}
		spec.Zone = aws.ToString(in.Placement.AvailabilityZone)
	}
	if spec.Zone != "" && !region.HasZone(spec.Zone) {
		return api.Errorf("InvalidParameterValue", "Invalid availability zone: [%s]", spec.Zone)
	}
	if in.SubnetId == nil {
		return nil
	}
	if err := wellFormed("subnet", *in.SubnetId); err != nil {
		return err
	}
	zone, err := region.ZoneOf(*in.SubnetId)
	if err == nil && spec.Zone != "" && spec.Zone != zone {
		return api.Errorf("InvalidParameterValue", "The subnet '%s' is not in zone %s.", *in.SubnetId, spec.Zone)
	}
	spec.Zone = zone
	return err
}
