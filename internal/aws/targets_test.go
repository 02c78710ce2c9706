package aws

import (
	"testing"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"
)

func TestTargetsOfFindsAddresses(t *testing.T) {
	instance := ec2types.Instance{
		InstanceId:       Ptr("i-1"),
		PrivateIpAddress: Ptr("10.0.0.1"),
		NetworkInterfaces: []ec2types.InstanceNetworkInterface{
			{PrivateIpAddresses: []ec2types.InstancePrivateIpAddress{{PrivateIpAddress: Ptr("10.0.0.9")}}},
		},
	}
	require.Empty(t, targetsOf("arn", ec2types.Instance{}, nil))
	for _, id := range []string{"i-1", "10.0.0.1", "10.0.0.9"} {
		targets := targetsOf("arn", instance, described(id))
		require.Len(t, targets, 1, id)
		require.Equal(t, id, targets[0].ID)
	}
	require.Empty(t, targetsOf("arn", instance, described("10.0.0.2")))
}

func described(id string) []elbtypes.TargetHealthDescription {
	return []elbtypes.TargetHealthDescription{{Target: &elbtypes.TargetDescription{Id: &id, Port: Ptr(int32(80))}}}
}
