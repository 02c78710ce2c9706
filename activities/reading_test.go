package activities

import (
	"slices"
	"strings"
	"testing"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
)

func TestOperatorOf(t *testing.T) {
	tagged := func(key string) map[string]ec2types.Instance {
		return map[string]ec2types.Instance{"i-1": {Tags: []ec2types.Tag{{Key: &key}}}}
	}
	for _, c := range []struct {
		name      string
		group     *astypes.AutoScalingGroup
		instances map[string]ec2types.Instance
		want      string
	}{
		{"nobody", &astypes.AutoScalingGroup{}, tagged("Name"), ""},
		{"EKS", nil, tagged("eks:cluster-name"), "Amazon EKS (tag eks:cluster-name)"},
		{"a cluster by its prefix", nil, tagged("kubernetes.io/cluster/blue"), "Kubernetes (tag kubernetes.io/cluster/blue)"},
		{"ECS, by the group's tag", &astypes.AutoScalingGroup{Tags: []astypes.TagDescription{{Key: ptr("AmazonECSManaged")}}}, nil, "Amazon ECS (tag AmazonECSManaged)"},
		{"Elastic Beanstalk", nil, tagged("elasticbeanstalk:environment-name"), "Elastic Beanstalk (tag elasticbeanstalk:environment-name)"},
		{"the group's own word", &astypes.AutoScalingGroup{Operator: &astypes.Operator{Principal: ptr("x.amazonaws.com")}}, nil, "x.amazonaws.com"},
		{"an instance's own word", nil, map[string]ec2types.Instance{"i-1": {Operator: &ec2types.OperatorResponse{Managed: ptr(true), Principal: ptr("eks.amazonaws.com")}}}, "eks.amazonaws.com"},
		{"an instance that is not managed says so too", nil, map[string]ec2types.Instance{"i-1": {Operator: &ec2types.OperatorResponse{Managed: ptr(false)}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, operatorOf(c.group, c.instances)) })
	}
}

func TestWeighted(t *testing.T) {
	overrides := func(weight *string) *astypes.AutoScalingGroup {
		return &astypes.AutoScalingGroup{MixedInstancesPolicy: &astypes.MixedInstancesPolicy{
			LaunchTemplate: &astypes.LaunchTemplate{Overrides: []astypes.LaunchTemplateOverrides{{InstanceType: ptr("m7i.large"), WeightedCapacity: weight}}},
		}}
	}
	require.False(t, weighted(&astypes.AutoScalingGroup{}))
	require.False(t, weighted(&astypes.AutoScalingGroup{DesiredCapacityType: ptr("units")}))
	require.True(t, weighted(&astypes.AutoScalingGroup{DesiredCapacityType: ptr("vcpu")}))
	require.False(t, weighted(overrides(nil)))
	require.True(t, weighted(overrides(ptr("2"))))
}

func TestFreeTag(t *testing.T) {
	fifty := strings.Split(strings.Repeat("x,", 49)+"x", ",")
	require.False(t, freeTags(fifty, names.TagJournal))
	require.True(t, freeTags(fifty[1:], names.TagJournal))
	require.True(t, freeTags(append(slices.Clone(fifty[1:]), "aws:autoscaling:groupName"), names.TagJournal), "AWS's own do not count")
	require.True(t, freeTags(append(slices.Clone(fifty[1:]), names.TagJournal), names.TagJournal), "ours is on already")
	require.False(t, freeTags(fifty[1:], names.TagJournal, names.TagQuarantine), "a quarantine needs one more while the mark is on")
	require.True(t, freeTags(append(slices.Clone(fifty[2:]), names.TagJournal), names.TagJournal, names.TagQuarantine))
}

func TestBareMetal(t *testing.T) {
	for instanceType, want := range map[string]bool{"m7i.large": false, "m7i.metal-24xl": true, "i3.metal": true, "mac2.metal": false} {
		require.Equal(t, want, bareMetal(instanceType), instanceType)
	}
}

func TestTargetsOfFindsAddresses(t *testing.T) {
	instance := ec2types.Instance{InstanceId: ptr("i-1"), PrivateIpAddress: ptr("10.0.0.1"), NetworkInterfaces: []ec2types.InstanceNetworkInterface{
		{PrivateIpAddresses: []ec2types.InstancePrivateIpAddress{{PrivateIpAddress: ptr("10.0.0.9")}}},
	}}
	require.Empty(t, targetsOf("arn", ec2types.Instance{}, nil))
	for _, id := range []string{"i-1", "10.0.0.1", "10.0.0.9"} {
		targets := targetsOf("arn", instance, described(id))
		require.Len(t, targets, 1, id)
		require.Equal(t, id, targets[0].ID)
	}
	require.Empty(t, targetsOf("arn", instance, described("10.0.0.2")))
}

func described(id string) []elbtypes.TargetHealthDescription {
	return []elbtypes.TargetHealthDescription{{Target: &elbtypes.TargetDescription{Id: &id, Port: ptr(int32(80))}}}
}
