package aws

import (
	"testing"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestOperatorOf(t *testing.T) {
	tagged := func(key string) map[string]ec2types.Instance {
		return map[string]ec2types.Instance{"i-1": {Tags: []ec2types.Tag{{Key: &key}}}}
	}
	none := &astypes.AutoScalingGroup{}
	for _, c := range []struct {
		name      string
		group     *astypes.AutoScalingGroup
		instances map[string]ec2types.Instance
		want      string
	}{
		{"nobody", &astypes.AutoScalingGroup{}, tagged("Name"), ""},
		{"EKS", none, tagged("eks:cluster-name"), "Amazon EKS (tag eks:cluster-name)"},
		{"Karpenter", none, tagged("karpenter.sh/nodepool"), "Karpenter (tag karpenter.sh/nodepool)"},
		{
			"EMR, by its prefix", none, tagged("aws:elasticmapreduce:job-flow-id"),
			"Amazon EMR (tag aws:elasticmapreduce:job-flow-id)",
		},
		{
			"a cluster by its prefix", none, tagged("kubernetes.io/cluster/blue"),
			"Kubernetes (tag kubernetes.io/cluster/blue)",
		},
		{
			"ECS, by the group's tag", &astypes.AutoScalingGroup{Tags: []astypes.TagDescription{{Key: Ptr("AmazonECSManaged")}}},
			nil, "Amazon ECS (tag AmazonECSManaged)",
		},
		{
			"Elastic Beanstalk", none, tagged("elasticbeanstalk:environment-name"),
			"Elastic Beanstalk (tag elasticbeanstalk:environment-name)",
		},
		{
			"the group's own word", &astypes.AutoScalingGroup{Operator: &astypes.Operator{Principal: Ptr("x.amazonaws.com")}},
			nil, "x.amazonaws.com",
		},
		{
			"an instance's own word", none,
			map[string]ec2types.Instance{
				"i-1": {Operator: &ec2types.OperatorResponse{Managed: Ptr(true), Principal: Ptr("eks.amazonaws.com")}},
			},
			"eks.amazonaws.com",
		},
		{
			"an instance that is not managed says so too", none,
			map[string]ec2types.Instance{"i-1": {Operator: &ec2types.OperatorResponse{Managed: Ptr(false)}}},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, operatorOf(c.group, c.instances)) })
	}
}

func TestCountsOf(t *testing.T) {
	overrides := func(weights ...*string) *astypes.AutoScalingGroup {
		group := &astypes.AutoScalingGroup{MixedInstancesPolicy: &astypes.MixedInstancesPolicy{
			LaunchTemplate: &astypes.LaunchTemplate{},
		}}
		for _, weight := range weights {
			group.MixedInstancesPolicy.LaunchTemplate.Overrides = append(
				group.MixedInstancesPolicy.LaunchTemplate.Overrides,
				astypes.LaunchTemplateOverrides{InstanceType: Ptr("m7i.large"), WeightedCapacity: weight},
			)
		}
		return group
	}
	left := overrides(nil)
	left.Instances = []astypes.Instance{{InstanceId: Ptr("i-1"), WeightedCapacity: Ptr("4")}}
	for _, c := range []struct {
		name  string
		group *astypes.AutoScalingGroup
		want  patch.Unit
	}{
		{"one template", &astypes.AutoScalingGroup{}, patch.CountsInstances},
		{"units", &astypes.AutoScalingGroup{DesiredCapacityType: Ptr("units")}, patch.CountsInstances},
		{"vcpu", &astypes.AutoScalingGroup{DesiredCapacityType: Ptr("vcpu")}, patch.CountsCPUs},
		{"memory", &astypes.AutoScalingGroup{DesiredCapacityType: Ptr("memory-mib")}, patch.CountsMemory},
		{"what nobody knows", &astypes.AutoScalingGroup{DesiredCapacityType: Ptr("gpu")}, patch.Unit("gpu")},
		{"mixed, without weights", overrides(nil, nil), patch.CountsInstances},
		{"mixed, each weighs one", overrides(Ptr("1"), Ptr("1")), patch.CountsInstances},
		{"mixed, one weighs two", overrides(Ptr("1"), Ptr("2")), patch.CountsWeights},
		{"weights that were taken off, and a member that keeps its own", left, patch.CountsWeights},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, countsOf(c.group)) })
	}
	for weight, want := range map[string]int{"": 0, "4": 4, "999": 999, "4.5": 0, "-1": 0} {
		require.Equal(t, want, weightOf(&astypes.Instance{WeightedCapacity: Ptr(weight)}), weight)
	}
}
