package aws

import (
	"slices"
	"strconv"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// countsOf is what a group's numbers count. Weights of one are instances: with them "each instance counts the same".
func countsOf(group *astypes.AutoScalingGroup) patch.Unit {
	if kind := Deref(group.DesiredCapacityType); kind != "" && kind != "units" {
		return patch.Unit(kind)
	}
	weighs := func(weight *string) bool { return Deref(weight) != "" && Deref(weight) != "1" }
	if slices.ContainsFunc(group.Instances, func(listed astypes.Instance) bool { // of a type that was taken out since, too
		return weighs(listed.WeightedCapacity)
	}) {
		return patch.CountsWeights
	}
	if group.MixedInstancesPolicy == nil || group.MixedInstancesPolicy.LaunchTemplate == nil {
		return patch.CountsInstances
	}
	if slices.ContainsFunc(
		group.MixedInstancesPolicy.LaunchTemplate.Overrides, func(override astypes.LaunchTemplateOverrides) bool {
			return weighs(override.WeightedCapacity)
		}) {
		return patch.CountsWeights
	}
	return patch.CountsInstances
}

// weightOf is a member's weighted capacity; 0: AWS tells none, or none that is a number.
func weightOf(listed *astypes.Instance) int {
	weight, err := strconv.Atoi(Deref(listed.WeightedCapacity))
	if err != nil {
		return 0
	}
	return max(weight, 0)
}

// UnitsOf is how much of its group's numbers a listed member is: 1 where the group counts instances.
func UnitsOf(group *astypes.AutoScalingGroup, listed *astypes.Instance) int {
	if countsOf(group) == patch.CountsInstances {
		return 1
	}
	return max(weightOf(listed), 1)
}
