package services

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// networkPages are those of DescribeVpcs and DescribeSubnets.
var networkPages = pageRange{5, 1000, 1000}

// defaultRegions are those that every account has; each of them is there as soon as it is asked.
var defaultRegions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
	"ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
	"us-east-2", "us-west-1", "us-west-2",
}

// registerEC2Network registers the reads of what every region has: one network with a subnet in each zone.
func registerEC2Network(r *api.Registry, w *world.World) {
	api.Handle(r, "ec2", "DescribeVpcs", []string{"Filters", "VpcIds", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
			id := regionOf(w, c).VPC()
			for _, wanted := range in.VpcIds {
				if wanted != id {
					return nil, api.Errorf("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", wanted)
				}
			}
			vpc := types.Vpc{
				VpcId: &id, CidrBlock: aws.String("10.0.0.0/8"), State: types.VpcStateAvailable, IsDefault: aws.Bool(true),
				OwnerId: &c.Account, InstanceTenancy: types.TenancyDefault, DhcpOptionsId: aws.String("default"),
			}
			chosen, err := filtered(
				"DescribeVpcs", []types.Vpc{vpc}, in.Filters, func(types.Vpc) world.Tags { return nil }, vpcFilter,
			)
			if err != nil {
				return nil, err
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, networkPages, "InvalidParameterValue")
			return &ec2.DescribeVpcsOutput{Vpcs: page, NextToken: next}, err
		})
	api.Handle(r, "ec2", "DescribeSubnets", []string{"Filters", "SubnetIds", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
			region := regionOf(w, c)
			if err := wellFormed("subnet", in.SubnetIds...); err != nil {
				return nil, err
			}
			for _, wanted := range in.SubnetIds {
				if _, err := region.ZoneOf(wanted); err != nil {
					return nil, err
				}
			}
			var all []types.Subnet
			for n, zone := range region.Zones() {
				if id := region.SubnetOf(zone); len(in.SubnetIds) == 0 || slices.Contains(in.SubnetIds, id) {
					all = append(all, subnetView(region, c, n, zone))
				}
			}
			chosen, err := filtered(
				"DescribeSubnets", all, in.Filters, func(types.Subnet) world.Tags { return nil }, subnetFilter,
			)
			if err != nil {
				return nil, err
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, networkPages, "InvalidParameterValue")
			return &ec2.DescribeSubnetsOutput{Subnets: page, NextToken: next}, err
		})
	api.Handle(r, "ec2", "DescribeAvailabilityZones", []string{"ZoneNames"},
		func(c api.Call, in *ec2.DescribeAvailabilityZonesInput) (*ec2.DescribeAvailabilityZonesOutput, error) {
			region := regionOf(w, c)
			out := &ec2.DescribeAvailabilityZonesOutput{}
			for _, wanted := range in.ZoneNames {
				if !region.HasZone(wanted) {
					return nil, api.Errorf("InvalidParameterValue", "Invalid availability zone: [%s]", wanted)
				}
			}
			for _, zone := range region.Zones() {
				if len(in.ZoneNames) == 0 || slices.Contains(in.ZoneNames, zone) {
					out.AvailabilityZones = append(out.AvailabilityZones, types.AvailabilityZone{
						ZoneName: aws.String(zone), RegionName: aws.String(region.Name), State: types.AvailabilityZoneStateAvailable,
						ZoneType: aws.String("availability-zone"), OptInStatus: types.AvailabilityZoneOptInStatusOptInNotRequired,
					})
				}
			}
			return out, nil
		})
	api.Handle(r, "ec2", "DescribeRegions", []string{"RegionNames", "AllRegions"},
		func(c api.Call, in *ec2.DescribeRegionsInput) (*ec2.DescribeRegionsOutput, error) {
			names := defaultRegions
			for _, wanted := range in.RegionNames {
				if !slices.Contains(names, wanted) {
					return nil, api.Errorf("InvalidParameterValue", "Invalid region: [%s]", wanted)
				}
			}
			out := &ec2.DescribeRegionsOutput{}
			for _, name := range names {
				if len(in.RegionNames) == 0 || slices.Contains(in.RegionNames, name) {
					out.Regions = append(out.Regions, types.Region{
						RegionName: aws.String(name), Endpoint: aws.String("ec2." + name + ".amazonaws.com"),
						OptInStatus: aws.String("opt-in-not-required"),
					})
				}
			}
			return out, nil
		})
}

func subnetView(region *world.Region, c api.Call, n int, zone string) types.Subnet {
	id := region.SubnetOf(zone)
	return types.Subnet{
		SubnetId: &id, VpcId: aws.String(region.VPC()), AvailabilityZone: aws.String(zone), OwnerId: &c.Account,
		CidrBlock: aws.String(fmt.Sprintf("10.%d.0.0/16", n)), State: types.SubnetStateAvailable,
		SubnetArn: aws.String(region.ARN("ec2", "subnet/"+id)), DefaultForAz: aws.Bool(true),
		AvailableIpAddressCount: aws.Int32(65531), MapPublicIpOnLaunch: aws.Bool(false),
	}
}

func vpcFilter(vpc types.Vpc, name string) ([]string, bool) {
	switch name {
	case "vpc-id":
		return []string{*vpc.VpcId}, true
	case "is-default", "isDefault":
		return []string{"true"}, true
	case "state":
		return []string{string(vpc.State)}, true
	case "cidr":
		return []string{*vpc.CidrBlock}, true
	}
	return nil, false
}

func subnetFilter(subnet types.Subnet, name string) ([]string, bool) {
	switch name {
	case "vpc-id":
		return []string{*subnet.VpcId}, true
	case "subnet-id":
		return []string{*subnet.SubnetId}, true
	case "availability-zone", "availabilityZone":
		return []string{*subnet.AvailabilityZone}, true
	case "state":
		return []string{string(subnet.State)}, true
	case "default-for-az", "defaultForAz":
		return []string{"true"}, true
	}
	return nil, false
}

// dnsName is the private name of an address in a region.
func dnsName(region *world.Region, address string) string {
	return "ip-" + strings.ReplaceAll(address, ".", "-") + "." + region.Name + ".compute.internal"
}
