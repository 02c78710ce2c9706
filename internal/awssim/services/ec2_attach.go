package services

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerEC2Attach registers how volumes are attached, by which older scripts restore, and instances protected.
func registerEC2Attach(r *api.Registry, w *world.World) {
	api.Handle(r, "ec2", "AttachVolume", []string{"VolumeId", "InstanceId", "Device"},
		func(c api.Call, in *ec2.AttachVolumeInput) (*ec2.AttachVolumeOutput, error) {
			if err := wellFormed("vol", aws.ToString(in.VolumeId)); err != nil {
				return nil, err
			}
			if err := wellFormed("i", aws.ToString(in.InstanceId)); err != nil {
				return nil, err
			}
			volume, err := regionOf(w, c).AttachVolume(*in.VolumeId, *in.InstanceId, aws.ToString(in.Device))
			if err != nil {
				return nil, err
			}
			return &ec2.AttachVolumeOutput{
				VolumeId: &volume.ID, InstanceId: &volume.Attached, Device: &volume.Device, AttachTime: aws.Time(c.Time),
				State: types.VolumeAttachmentStateAttaching, DeleteOnTermination: aws.Bool(false),
			}, nil
		})
	api.Handle(r, "ec2", "DetachVolume", []string{"VolumeId", "InstanceId", "Device", "Force"},
		func(c api.Call, in *ec2.DetachVolumeInput) (*ec2.DetachVolumeOutput, error) {
			if err := wellFormed("vol", aws.ToString(in.VolumeId)); err != nil {
				return nil, err
			}
			before, err := regionOf(w, c).DetachVolume(*in.VolumeId, aws.ToString(in.InstanceId), aws.ToString(in.Device))
			if err != nil {
				return nil, err
			}
			return &ec2.DetachVolumeOutput{
				VolumeId: &before.ID, InstanceId: &before.Attached, Device: &before.Device, AttachTime: aws.Time(before.Created),
				State: types.VolumeAttachmentStateDetaching, DeleteOnTermination: aws.Bool(false),
			}, nil
		})
	api.Handle(r, "ec2", "DescribeInstanceAttribute", []string{"InstanceId", "Attribute"},
		func(c api.Call, in *ec2.DescribeInstanceAttributeInput) (*ec2.DescribeInstanceAttributeOutput, error) {
			chosen, err := chooseInstances(regionOf(w, c), "", []string{aws.ToString(in.InstanceId)}, nil)
			if err != nil {
				return nil, err
			}
			out := &ec2.DescribeInstanceAttributeOutput{InstanceId: in.InstanceId}
			text := func(value string) *types.AttributeValue { return &types.AttributeValue{Value: &value} }
			switch in.Attribute {
			case types.InstanceAttributeNameDisableApiTermination:
				out.DisableApiTermination = &types.AttributeBooleanValue{Value: &chosen[0].Protected}
			case types.InstanceAttributeNameInstanceType:
				out.InstanceType = text(chosen[0].Type)
			case types.InstanceAttributeNameRootDeviceName:
				out.RootDeviceName = text(world.RootDevice)
			case types.InstanceAttributeNameGroupSet:
				out.Groups = securityGroupViews(chosen[0], chosen[0].SecurityGroups)
			default:
				if !slices.Contains(in.Attribute.Values(), in.Attribute) {
					return nil, api.Errorf("InvalidParameterValue", "Value (%s) for parameter attribute is invalid.", in.Attribute)
				}
				return nil, api.NotModelled("attribute %s of ec2:DescribeInstanceAttribute", in.Attribute)
			}
			return out, nil
		})
}

// terminate ends instances but those that are protected, and others of their zones (API reference of
// TerminateInstances: in other zones they are terminated although the request fails).
func terminate(chosen []*world.Instance) error {
	var first *world.Instance
	zones := map[string]bool{}
	for _, instance := range chosen {
		if instance.Protected && instance.State != world.Terminated {
			zones[instance.Zone] = true
			if first == nil {
				first = instance
			}
		}
	}
	for _, instance := range chosen {
		if !zones[instance.Zone] {
			instance.Terminate()
		}
	}
	if first == nil {
		return nil
	}
	return api.Errorf(
		"OperationNotPermitted", "The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance "+
			"attribute and try again.", first.ID,
	)
}
