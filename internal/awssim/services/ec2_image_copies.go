package services

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerEC2ImageCopies copies images between accounts and regions, and shares them with accounts. Sharing with
// organisations and with everybody is not modelled.
func registerEC2ImageCopies(r *api.Registry, w *world.World) {
	api.Handle(r, "ec2", "CopyImage", []string{
		"Name", "SourceImageId", "SourceRegion", "ClientToken", "Description", "Encrypted", "KmsKeyId", "TagSpecifications",
	}, func(c api.Call, in *ec2.CopyImageInput) (*ec2.CopyImageOutput, error) {
		all, err := specifiedFor(in.TagSpecifications, types.ResourceTypeImage, types.ResourceTypeSnapshot)
		if err != nil {
			return nil, err
		}
		copied := world.ImageCopy{
			Source: aws.ToString(in.SourceImageId), SourceRegion: aws.ToString(in.SourceRegion), Name: aws.ToString(in.Name),
			Description: aws.ToString(in.Description), Encrypted: aws.ToBool(in.Encrypted), Key: aws.ToString(in.KmsKeyId),
			Tags: all[types.ResourceTypeImage], SnapshotTags: all[types.ResourceTypeSnapshot],
		}
		region := regionOf(w, c)
		image, err := world.Once(region, aws.ToString(in.ClientToken), fmt.Sprintf("CopyImage %+v", copied),
			func() (*world.Image, error) { return region.CopyImage(copied) })
		if err != nil {
			return nil, err
		}
		return &ec2.CopyImageOutput{ImageId: &image.ID}, nil
	})
	api.Handle(r, "ec2", "ModifyImageAttribute", []string{"ImageId", "LaunchPermission"},
		func(c api.Call, in *ec2.ModifyImageAttributeInput) (*ec2.ModifyImageAttributeOutput, error) {
			if in.LaunchPermission == nil || len(in.LaunchPermission.Add)+len(in.LaunchPermission.Remove) == 0 {
				return nil, api.Errorf("InvalidParameterCombination", "No attributes specified.")
			}
			if len(in.LaunchPermission.Add) > 0 && len(in.LaunchPermission.Remove) > 0 {
				return nil, api.NotModelled("Add with Remove in ec2:ModifyImageAttribute")
			}
			for _, one := range append(in.LaunchPermission.Add, in.LaunchPermission.Remove...) {
				if !isAccount(one.UserId) {
					return nil, api.NotModelled("launch permissions of others than accounts")
				}
				err := regionOf(w, c).ShareImage(aws.ToString(in.ImageId), *one.UserId, len(in.LaunchPermission.Add) > 0)
				if err != nil {
					return nil, err
				}
			}
			return &ec2.ModifyImageAttributeOutput{}, nil
		})
	api.Handle(r, "ec2", "ModifySnapshotAttribute", []string{"SnapshotId", "Attribute", "CreateVolumePermission"},
		func(c api.Call, in *ec2.ModifySnapshotAttributeInput) (*ec2.ModifySnapshotAttributeOutput, error) {
			if in.Attribute != "" && in.Attribute != types.SnapshotAttributeNameCreateVolumePermission {
				return nil, api.NotModelled("attribute %s in ec2:ModifySnapshotAttribute", in.Attribute)
			}
			changes := in.CreateVolumePermission
			switch {
			case changes == nil || len(changes.Add)+len(changes.Remove) == 0:
				return nil, api.Errorf("InvalidParameterCombination", "No attributes specified.")
			case len(changes.Add) > 0 && len(changes.Remove) > 0: // "you cannot do both in a single operation"
				return nil, api.Errorf("InvalidParameterCombination", "Add and Remove cannot be used in one request.")
			}
			for _, one := range append(changes.Add, changes.Remove...) {
				if !isAccount(one.UserId) {
					return nil, api.NotModelled("create volume permissions of others than accounts")
				}
				err := regionOf(w, c).ShareSnapshot(aws.ToString(in.SnapshotId), *one.UserId, len(changes.Add) > 0)
				if err != nil {
					return nil, err
				}
			}
			return &ec2.ModifySnapshotAttributeOutput{}, nil
		})
}

func isAccount(id *string) bool { return id != nil && len(*id) == 12 && allDigits(*id) }
