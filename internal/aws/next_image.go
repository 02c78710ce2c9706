package aws

import (
	"context"
	"slices"
	"strings"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/patchtide/patchtide/internal/patch"
)

// ReadNextImage reads which image an Auto Scaling group launches its next instance from, and which of its instances came
// from it. Of a launch configuration, and of a template that names a parameter of Systems Manager, it tells no image.
func ReadNextImage(ctx context.Context, s *Services, in patch.Group) (*patch.NextImage, error) {
	group, err := ReadGroup(ctx, s, in)
	if err != nil {
		return nil, err
	}
	next := &patch.NextImage{From: "the launch configuration " + Deref(group.LaunchConfigurationName)}
	for i, template := range templatesOf(group) {
		image, from, err := imageOf(ctx, s, in.String(), template)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			next.From = from
		}
		if strings.HasPrefix(image, "ami-") && !slices.Contains(next.Images, image) {
			next.Images = append(next.Images, image)
		}
	}
	if len(next.Images) == 0 {
		return next, nil
	}
	came, _, err := DescribeInstances(ctx, s, in.String(), Filter("image-id", next.Images...),
		Filter("tag:aws:autoscaling:groupName", in.AutoScalingGroup))
	if err != nil {
		return nil, err
	}
	for _, instance := range came {
		next.Came = append(next.Came, Deref(instance.InstanceId))
	}
	slices.Sort(next.Came)
	return next, nil
}

// templatesOf are the group's launch templates, its own first and then those of overrides.
func templatesOf(group *astypes.AutoScalingGroup) []*astypes.LaunchTemplateSpecification {
	if group.LaunchTemplate != nil {
		return []*astypes.LaunchTemplateSpecification{group.LaunchTemplate}
	}
	if group.MixedInstancesPolicy == nil || group.MixedInstancesPolicy.LaunchTemplate == nil {
		return nil
	}
	var all []*astypes.LaunchTemplateSpecification
	if own := group.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification; own != nil {
		all = append(all, own)
	}
	for _, override := range group.MixedInstancesPolicy.LaunchTemplate.Overrides {
		if override.LaunchTemplateSpecification != nil {
			all = append(all, override.LaunchTemplateSpecification)
		}
	}
	return all
}

// imageOf is the image of a template's version as EC2 has it now, and the version for people. Without a version Auto
// Scaling takes the default one (API reference of LaunchTemplateSpecification).
func imageOf(
	ctx context.Context, s *Services, where string, template *astypes.LaunchTemplateSpecification,
) (image, from string, err error) {
	version := Deref(template.Version)
	if version == "" {
		version = "$Default"
	}
	asked := &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: template.LaunchTemplateId, Versions: []string{version},
	}
	if template.LaunchTemplateId == nil {
		asked.LaunchTemplateName = template.LaunchTemplateName
	}
	said, err := s.EC2.DescribeLaunchTemplateVersions(ctx, asked)
	if err != nil {
		return "", "", Wrap("read version "+version+" of the launch template "+Deref(template.LaunchTemplateName), where, err)
	}
	from = "version " + version + " of the launch template " + Deref(template.LaunchTemplateName)
	if len(said.LaunchTemplateVersions) > 0 && said.LaunchTemplateVersions[0].LaunchTemplateData != nil {
		image = Deref(said.LaunchTemplateVersions[0].LaunchTemplateData.ImageId)
	}
	return image, from, nil
}
