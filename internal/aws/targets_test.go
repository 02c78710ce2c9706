package aws

import (
	"testing"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"
)

func TestTargetsOfFindsAddresses(t *testing.T) {
	instance := ec2types.Instance{
		InstanceId:       Ptr("i-1"),
		PrivateIpAddress: Ptr("10.0.0.1"),
		NetworkInterfaces: []ec2types.InstanceNetworkInterface{
			{
				PrivateIpAddresses: []ec2types.InstancePrivateIpAddress{{PrivateIpAddress: Ptr("10.0.0.9")}},
				Ipv6Addresses:      []ec2types.InstanceIpv6Address{{Ipv6Address: Ptr("2001:db8::a")}},
			},
		},
	}
	require.Empty(t, targetsOf("arn", ec2types.Instance{}, nil))
	for _, id := range []string{"i-1", "10.0.0.1", "10.0.0.9", "2001:db8::a", "2001:0db8:0:0:0:0:0:000A"} {
		targets := targetsOf("arn", instance, described(id))
		require.Len(t, targets, 1, id)
		require.Equal(t, id, targets[0].ID)
	}
	require.Empty(t, targetsOf("arn", instance, described("10.0.0.2")))
}

// By way of a peering an instance may be a target of another network's group, and so may a stranger of its address.
func TestTargetsOfAnotherNetworkAreNamed(t *testing.T) {
	instances := map[string]ec2types.Instance{
		"i-1": {InstanceId: Ptr("i-1"), PrivateIpAddress: Ptr("10.0.0.1"), VpcId: Ptr("vpc-1")},
		"i-2": {InstanceId: Ptr("i-2"), PrivateIpAddress: Ptr("10.0.0.2"), VpcId: Ptr("vpc-2")},
	}
	group := elbtypes.TargetGroup{TargetType: elbtypes.TargetTypeEnumIp, VpcId: Ptr("vpc-2")}
	here := reachable(group, instances)
	require.Contains(t, here, "i-2")
	health := described("10.0.0.1")
	require.Empty(t, targetsElsewhere("arn", here, instances, health), "in a zone of the other network: a stranger")
	health[0].Target.AvailabilityZone = Ptr("all")
	require.Equal(t, []string{"i-1 as 10.0.0.1 in arn"}, targetsElsewhere("arn", here, instances, health))
}

func TestBalancersOfOtherKindsAreNamed(t *testing.T) {
	require.Empty(t, otherBalancers(&astypes.AutoScalingGroup{TrafficSources: []astypes.TrafficSourceIdentifier{
		{Type: Ptr("elbv2"), Identifier: Ptr("arn")},
	}}))
	require.Equal(t, []string{"Classic Load Balancer old", "VPC Lattice target group tg-1"},
		otherBalancers(&astypes.AutoScalingGroup{
			LoadBalancerNames: []string{"old"}, TrafficSources: []astypes.TrafficSourceIdentifier{
				{Type: Ptr("vpc-lattice"), Identifier: Ptr("tg-1")}, {Type: Ptr("elb"), Identifier: Ptr("old")},
			},
		}))
}

func described(id string) []elbtypes.TargetHealthDescription {
	return []elbtypes.TargetHealthDescription{{Target: &elbtypes.TargetDescription{Id: &id, Port: Ptr(int32(80))}}}
}
