package services

import (
	"fmt"

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
		},
		func(c api.Call, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
			return runInstances(w, c, in)
		},
	)
	api.Handle(
		r,
		"ec2",
		"CreateVolume",
		[]string{"AvailabilityZone", "Size", "VolumeType", "TagSpecifications", "ClientToken"},
		func(c api.Call, in *ec2.CreateVolumeInput) (*ec2.CreateVolumeOutput, error) {
			tags, err := specified(in.TagSpecifications, types.ResourceTypeVolume)
			if err != nil {
				return nil, err
			}
			if aws.ToString(in.AvailabilityZone) == "" {
				return nil, api.Errorf("MissingParameter", "The request must contain the parameter zone")
			}
			if size := aws.ToInt32(in.Size); size != world.SizeGiB {
				return nil, api.NotModelled("a volume of %d GiB; every volume has %d", size, world.SizeGiB)
			}
			volume, err := world.Once(
				regionOf(w, c), aws.ToString(in.ClientToken), *in.AvailabilityZone, func() (*world.Volume, error) {
					return regionOf(w, c).CreateVolume(*in.AvailabilityZone, tags), nil
				})
			if err != nil {
				return nil, err
			}
			view := ec2Volume(volume)
			return &ec2.CreateVolumeOutput{
				VolumeId: view.VolumeId, AvailabilityZone: view.AvailabilityZone, State: types.VolumeStateCreating, Size: view.Size,
				CreateTime: view.CreateTime, VolumeType: types.VolumeTypeGp3, Encrypted: view.Encrypted, SnapshotId: aws.String(""),
				Tags: view.Tags,
			}, nil
		},
	)
	registerLaunchTemplates(r, w)
}

func runInstances(w *world.World, c api.Call, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	region := regionOf(w, c)
	tags, err := specified(in.TagSpecifications, types.ResourceTypeInstance)
	if err != nil {
		return nil, err
	}
	low, high := aws.ToInt32(in.MinCount), aws.ToInt32(in.MaxCount)
	switch {
	case aws.ToString(in.ImageId) == "":
		return nil, api.Errorf("MissingParameter", "The request must contain the parameter ImageId")
	case low < 1 || high < low:
		return nil, api.Errorf(
			"InvalidParameterValue", "Value (%d) for parameter maxCount is invalid; minCount is %d.", high, low,
		)
	}
	spec := world.LaunchSpec{
		Image: *in.ImageId, Type: string(in.InstanceType), Tags: tags, SecurityGroups: in.SecurityGroupIds,
	}
	for _, id := range in.SecurityGroupIds {
		if _, _, err := region.ResourceTags(id); err != nil {
			return nil, err
		}
	}
	if in.Placement != nil {
		spec.Zone = aws.ToString(in.Placement.AvailabilityZone)
	}
	if int(high) > world.MaxInstances {
		return nil, api.Errorf(
			"InstanceLimitExceeded", "You have requested more instances (%d) than your current instance limit of %d allows.",
			high, world.MaxInstances,
		)
	}
	request := fmt.Sprint(low, high, spec)
	launched, err := world.Once(region, aws.ToString(in.ClientToken), request, func() ([]*world.Instance, error) {
		var launched []*world.Instance
		for range high {
			instance, err := region.Launch(spec)
			if err != nil {
				return nil, err
			}
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
		out.ReservationId = aws.String("r-" + instance.ID[2:])
	}
	return out, nil
}
