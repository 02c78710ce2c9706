package services

import (
	"reflect"
	"slices"
	"strconv"

	as "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// mixedPolicy is a group's mixed instances policy; nil: it launches its template's instance type only. What desired
// counts by itself, vcpu or memory-mib, goes with attributes in the place of types, and no weights of theirs.
func mixedPolicy(group *world.ScalingGroup) *types.MixedInstancesPolicy {
	if len(group.Mixed) == 0 {
		return nil
	}
	policy := &types.MixedInstancesPolicy{
		InstancesDistribution: &types.InstancesDistribution{
			OnDemandAllocationStrategy: ref("prioritized"), OnDemandBaseCapacity: number(0),
			OnDemandPercentageAboveBaseCapacity: number(100), SpotAllocationStrategy: ref("lowest-price"),
		},
		LaunchTemplate: &types.LaunchTemplate{LaunchTemplateSpecification: templateSpec(group)},
	}
	if group.DesiredType != "" && group.DesiredType != "units" {
		policy.LaunchTemplate.Overrides = []types.LaunchTemplateOverrides{{InstanceRequirements: &types.InstanceRequirements{
			VCpuCount: &types.VCpuCountRequest{Min: number(1)}, MemoryMiB: &types.MemoryMiBRequest{Min: number(1)},
		}}}
		return policy
	}
	for _, override := range group.Mixed {
		view := types.LaunchTemplateOverrides{InstanceType: ref(override.Type)}
		if override.Weight > 0 {
			view.WeightedCapacity = ref(strconv.Itoa(override.Weight))
		}
		policy.LaunchTemplate.Overrides = append(policy.LaunchTemplate.Overrides, view)
	}
	return policy
}

// launchesBy is the template that an update has a group launch from, and its overrides; nil: it stays as it is. A
// launch template by itself takes the place of a mixed instances policy. A policy is replaced whole: what of it is
// another than the group's is not modelled, but for the template and the overrides.
func launchesBy(group *world.ScalingGroup, in *as.UpdateAutoScalingGroupInput) (
	[]world.Override, *types.LaunchTemplateSpecification, error,
) {
	policy, now := in.MixedInstancesPolicy, mixedPolicy(group)
	same := reflect.DeepEqual
	switch {
	case policy == nil:
		return nil, in.LaunchTemplate, nil
	case in.LaunchTemplate != nil:
		return nil, nil, api.Errorf("ValidationError",
			"Only one of LaunchTemplate, LaunchConfigurationName and MixedInstancesPolicy may be given.")
	case now == nil || policy.LaunchTemplate == nil || policy.LaunchTemplate.LaunchTemplateSpecification == nil:
		return nil, nil, api.NotModelled("a mixed instances policy of autoscaling:UpdateAutoScalingGroup for a group without")
	case policy.InstancesDistribution != nil && !same(policy.InstancesDistribution, now.InstancesDistribution):
		return nil, nil, api.NotModelled("another InstancesDistribution of autoscaling:UpdateAutoScalingGroup")
	case same(policy.LaunchTemplate.Overrides, now.LaunchTemplate.Overrides):
		return group.Mixed, policy.LaunchTemplate.LaunchTemplateSpecification, nil
	}
	asked := *policy
	asked.InstancesDistribution = nil
	return mixed(&asked)
}

// weight is a member's weighted capacity, as AWS writes it; nil: it has none.
func weight(member *world.Member) *string {
	if member.Weight() == 0 {
		return nil
	}
	return ref(strconv.Itoa(member.Weight()))
}

// mostWeight is the largest weight that AWS takes (API reference of LaunchTemplateOverrides).
const mostWeight = 999

// mixed reads a mixed instances policy of a request; its launch template is in it.
func mixed(policy *types.MixedInstancesPolicy) ([]world.Override, *types.LaunchTemplateSpecification, error) {
	switch {
	case policy.LaunchTemplate == nil || policy.LaunchTemplate.LaunchTemplateSpecification == nil:
		return nil, nil, missing("mixedInstancesPolicy.launchTemplate.launchTemplateSpecification")
	case policy.InstancesDistribution != nil:
		return nil, nil, api.NotModelled("InstancesDistribution of autoscaling:CreateAutoScalingGroup")
	case len(policy.LaunchTemplate.Overrides) == 0:
		return nil, nil, api.NotModelled("a mixed instances policy without overrides")
	}
	var found []world.Override
	for _, override := range policy.LaunchTemplate.Overrides {
		if set := setFields(override); !slices.Equal(set, []string{"InstanceType"}) &&
			!slices.Equal(set, []string{"InstanceType", "WeightedCapacity"}) {
			return nil, nil, api.NotModelled("%v of an override of autoscaling:CreateAutoScalingGroup", set)
		}
		one := world.Override{Type: deref(override.InstanceType)}
		if override.WeightedCapacity != nil {
			units, err := strconv.Atoi(*override.WeightedCapacity)
			if err != nil || units < 1 || units > mostWeight {
				return nil, nil, api.Errorf("ValidationError", "WeightedCapacity %s must be between 1 and %d.",
					*override.WeightedCapacity, mostWeight)
			}
			one.Weight = units
		}
		if len(found) > 0 && (one.Weight == 0) != (found[0].Weight == 0) {
			return nil, nil, api.Errorf(
				"ValidationError", "You must specify the weighted capacity for all instance types, or none.",
			)
		}
		found = append(found, one)
	}
	return found, policy.LaunchTemplate.LaunchTemplateSpecification, nil
}
