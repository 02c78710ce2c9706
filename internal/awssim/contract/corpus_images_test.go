package contract_test

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/contract"
)

func images(s *simulator) contract.Scenario {
	return scenario("images and snapshots of instances", func(c *contract.Clients) []contract.Step {
		return []contract.Step{{Name: "an image is made, listed and forgotten", Do: func(ctx context.Context) error {
			made, err := c.EC2.CreateImage(
				ctx, &ec2.CreateImageInput{InstanceId: &c.Managed, Name: aws.String("corpus"), NoReboot: aws.Bool(true)},
			)
			if err != nil {
				return err
			}
			s.clock.pass(10 * time.Minute)
			listed, err := c.EC2.DescribeImages(
				ctx, &ec2.DescribeImagesInput{Owners: []string{"self"}, ImageIds: []string{*made.ImageId}},
			)
			if err != nil {
				return err
			}
			copied, err := c.EC2.CopyImage(ctx, &ec2.CopyImageInput{
				SourceImageId: made.ImageId, SourceRegion: aws.String(c.EC2.Options().Region), Name: aws.String("corpus copy"),
				Encrypted: aws.Bool(true), ClientToken: aws.String("corpus"),
			})
			if err != nil {
				return err
			}
			again, err := c.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{*copied.ImageId}})
			if err != nil {
				return err
			}
			const other = "222233334444"
			return errors.Join(
				wrong(listed.Images[0].State == ec2types.ImageStateAvailable, "the image is %s", listed.Images[0].State),
				wrong(again.Images[0].State == ec2types.ImageStatePending, "the copy is %s", again.Images[0].State),
				did(c.EC2.ModifyImageAttribute(ctx, &ec2.ModifyImageAttributeInput{
					ImageId: made.ImageId, LaunchPermission: &ec2types.LaunchPermissionModifications{
						Add: []ec2types.LaunchPermission{{UserId: aws.String(other)}},
					},
				})),
				did(c.EC2.ModifySnapshotAttribute(ctx, &ec2.ModifySnapshotAttributeInput{
					SnapshotId: listed.Images[0].BlockDeviceMappings[0].Ebs.SnapshotId,
					Attribute:  ec2types.SnapshotAttributeNameCreateVolumePermission,
					CreateVolumePermission: &ec2types.CreateVolumePermissionModifications{
						Add: []ec2types.CreateVolumePermission{{UserId: aws.String(other)}},
					},
				})),
				did(c.EC2.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: made.ImageId})),
				did(
					c.EC2.CreateSnapshots(
						ctx, &ec2.CreateSnapshotsInput{InstanceSpecification: &ec2types.InstanceSpecification{InstanceId: &c.Managed}},
					),
				),
				did(
					c.EC2.DescribeInstanceTypes(
						ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{"m7i.large"}},
					),
				),
			)
		}}}
	})
}
