package services

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerEC2Interfaces registers what is modelled of network interfaces: their security groups.
func registerEC2Interfaces(r *api.Registry, w *world.World) {
	api.Handle(r, "ec2", "ModifyNetworkInterfaceAttribute", []string{"NetworkInterfaceId", "Groups"},
		func(c api.Call, in *ec2.ModifyNetworkInterfaceAttributeInput) (*ec2.ModifyNetworkInterfaceAttributeOutput, error) {
			one, err := regionOf(w, c).Interface(aws.ToString(in.NetworkInterfaceId))
			if err != nil {
				return nil, err
			}
			return &ec2.ModifyNetworkInterfaceAttributeOutput{}, one.SetGroups(in.Groups)
		})
}

func securityGroupViews(i *world.Instance, ids []string) []types.GroupIdentifier {
	var views []types.GroupIdentifier
	for _, id := range ids {
		views = append(
			views, types.GroupIdentifier{GroupId: aws.String(id), GroupName: aws.String(i.Region.SecurityGroupName(id))},
		)
	}
	return views
}

// interfaceViews are an instance's interfaces as DescribeInstances shows them.
func interfaceViews(i *world.Instance) []types.InstanceNetworkInterface {
	var views []types.InstanceNetworkInterface
	for _, one := range i.Interfaces() {
		views = append(views, types.InstanceNetworkInterface{
			NetworkInterfaceId: aws.String(one.ID), VpcId: aws.String(i.Region.VPC()), PrivateIpAddress: aws.String(one.Address),
			Groups: securityGroupViews(i, one.Groups()), Status: types.NetworkInterfaceStatusInUse,
			OwnerId: aws.String(i.Region.Account.ID),
			Attachment: &types.InstanceNetworkInterfaceAttachment{
				DeviceIndex: aws.Int32(int32(one.Device)), Status: types.AttachmentStatusAttached,
			},
			PrivateIpAddresses: []types.InstancePrivateIpAddress{
				{PrivateIpAddress: aws.String(one.Address), Primary: aws.Bool(true)},
			},
			Ipv6Addresses: ipv6Views(i, one),
		})
	}
	return views
}

// ipv6Views is the address that an instance has on its first interface, where its network has such.
func ipv6Views(i *world.Instance, one *world.NetworkInterface) []types.InstanceIpv6Address {
	if one.Device != 0 || i.IPv6 == "" {
		return nil
	}
	return []types.InstanceIpv6Address{{Ipv6Address: aws.String(i.IPv6), IsPrimaryIpv6: aws.Bool(false)}}
}
