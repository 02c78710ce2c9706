package aws

import (
	"testing"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/stretchr/testify/require"
)

// A group is renewed that launches all by one template; overrides that name an instance type only change nothing of
// that, and what has another image needs another.
func TestByWhichTemplateAGroupLaunches(t *testing.T) {
	spec := func(id string) *astypes.LaunchTemplateSpecification {
		return &astypes.LaunchTemplateSpecification{LaunchTemplateId: &id}
	}
	mixed := func(overrides ...astypes.LaunchTemplateOverrides) *astypes.AutoScalingGroup {
		return &astypes.AutoScalingGroup{MixedInstancesPolicy: &astypes.MixedInstancesPolicy{
			LaunchTemplate: &astypes.LaunchTemplate{LaunchTemplateSpecification: spec("lt-1"), Overrides: overrides},
		}}
	}
	const several = "overrides of its mixed instances policy name images or launch templates of their own"
	for _, c := range []struct {
		name  string
		group *astypes.AutoScalingGroup
		id    string
		why   string
	}{
		{"one template", &astypes.AutoScalingGroup{LaunchTemplate: spec("lt-1")}, "lt-1", ""},
		{"a policy without overrides", mixed(), "lt-1", ""},
		{"overrides of types", mixed(astypes.LaunchTemplateOverrides{InstanceType: Ptr("m7i.large")}), "lt-1", ""},
		{
			"an override with a template of its own", mixed(
				astypes.LaunchTemplateOverrides{InstanceType: Ptr("m7i.large")},
				astypes.LaunchTemplateOverrides{InstanceType: Ptr("m7g.large"), LaunchTemplateSpecification: spec("lt-2")},
			), "", several,
		},
		{
			"all of them by one other", mixed(
				astypes.LaunchTemplateOverrides{InstanceType: Ptr("m7g.large"), LaunchTemplateSpecification: spec("lt-2")},
			), "lt-2", "",
		},
		{"an override with an image of its own", mixed(astypes.LaunchTemplateOverrides{ImageId: Ptr("ami-1")}), "", several},
		{
			"a launch configuration", &astypes.AutoScalingGroup{LaunchConfigurationName: Ptr("old")}, "",
			"it has the launch configuration old, which cannot be changed",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			named, why := templateOf(c.group)
			if c.why != "" {
				require.Contains(t, why, c.why)
				return
			}
			require.Empty(t, why)
			require.Equal(t, c.id, *named.LaunchTemplateId)
		})
	}
}

// Only what a group launches from is named anew: a template beside it, which no override leaves to be used, stays.
func TestAVersionIsNamedWhereAPolicyLaunchesFromIt(t *testing.T) {
	spec := func(id, version string) *astypes.LaunchTemplateSpecification {
		return &astypes.LaunchTemplateSpecification{LaunchTemplateId: &id, Version: &version}
	}
	for _, c := range []struct {
		name         string
		policy, want *astypes.LaunchTemplate
	}{
		{
			"its own",
			&astypes.LaunchTemplate{
				LaunchTemplateSpecification: spec("lt-1", "3"), Overrides: []astypes.LaunchTemplateOverrides{{InstanceType: Ptr("a")}},
			},
			&astypes.LaunchTemplate{
				LaunchTemplateSpecification: spec("lt-1", "4"), Overrides: []astypes.LaunchTemplateOverrides{{InstanceType: Ptr("a")}},
			},
		},
		{
			"an override's",
			&astypes.LaunchTemplate{
				LaunchTemplateSpecification: spec("lt-2", "7"),
				Overrides:                   []astypes.LaunchTemplateOverrides{{LaunchTemplateSpecification: spec("lt-1", "3")}},
			},
			&astypes.LaunchTemplate{
				LaunchTemplateSpecification: spec("lt-2", "7"),
				Overrides:                   []astypes.LaunchTemplateOverrides{{LaunchTemplateSpecification: spec("lt-1", "4")}},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			nameIn(c.policy, spec("lt-1", "4"))
			require.Equal(t, c.want, c.policy)
		})
	}
}
