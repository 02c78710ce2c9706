package aws

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// Named is a group as it was read, and the version of a launch template that it names, as it names it; "": it launches
// from another, or from several.
type Named struct {
	Version string
	group   *astypes.AutoScalingGroup
}

// ReadNamed reads which version of a launch template a group names.
func ReadNamed(ctx context.Context, s *Services, in patch.Group, template string) (*Named, error) {
	group, err := ReadGroup(ctx, s, in)
	if err != nil {
		return nil, err
	}
	named, why := templateOf(group)
	if why != "" || Deref(named.LaunchTemplateId) != template {
		return &Named{group: group}, nil
	}
	return &Named{Deref(named.Version), group}, nil
}

// NameVersion has a group that was read a moment ago launch from another version of the same launch template. Its mixed
// instances policy is sent back as it was read, for a launch template beside it would take its place. Its error has no
// kind yet; see Wrap.
func NameVersion(ctx context.Context, s *Services, was *Named, template string, version int) error {
	asked := &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: was.group.AutoScalingGroupName}
	// An id or a name, and not both (API reference of LaunchTemplateSpecification).
	spec := &astypes.LaunchTemplateSpecification{LaunchTemplateId: &template, Version: Ptr(strconv.Itoa(version))}
	if policy := was.group.MixedInstancesPolicy; policy != nil {
		nameIn(policy.LaunchTemplate, spec)
		asked.MixedInstancesPolicy = policy
	} else {
		asked.LaunchTemplate = spec
	}
	_, err := s.AutoScaling.UpdateAutoScalingGroup(ctx, asked)
	return err
}

// nameIn names the version of a template wherever a policy launches from that: its own, or an override's.
func nameIn(policy *astypes.LaunchTemplate, spec *astypes.LaunchTemplateSpecification) {
	same := func(named *astypes.LaunchTemplateSpecification) bool {
		return named != nil && Deref(named.LaunchTemplateId) == Deref(spec.LaunchTemplateId)
	}
	if same(policy.LaunchTemplateSpecification) {
		policy.LaunchTemplateSpecification = spec
	}
	for i := range policy.Overrides {
		if same(policy.Overrides[i].LaunchTemplateSpecification) {
			policy.Overrides[i].LaunchTemplateSpecification = spec
		}
	}
}
