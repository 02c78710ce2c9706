package aws

import (
	"context"
	"slices"
	"strings"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/patchtide/patchtide/internal/patch"
)

// ReadNextImage reads which image an Auto Scaling group launches its next instance from, and which of its instances
// came from it. The image of a launch configuration is not asked for, and a parameter of Systems Manager that a
// template names is not read: either is told as not known.
func ReadNextImage(ctx context.Context, s *Services, in patch.Group) (*patch.NextImage, error) {
	group, err := ReadGroup(ctx, s, in)
	if err != nil {
		return nil, err
	}
	next := &patch.NextImage{}
	sources := sourcesOf(group)
	if len(sources) == 0 {
		next.Unknown = "it has the launch configuration " + Deref(group.LaunchConfigurationName)
	}
	for i, source := range sources {
		image, from := source.image, source.from
		if image == "" {
			if image, from, err = imageOf(ctx, s, in.String(), source.template); err != nil {
				return nil, err
			}
		}
		switch {
		case !strings.HasPrefix(image, "ami-"):
			next.Unknown = from + " names " + image
		case !slices.Contains(next.Images, image):
			next.Images = append(next.Images, image)
		}
		if i == 0 {
			next.From = from
		}
	}
	if len(sources) > 1 {
		next.From += " and its overrides"
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

// imageSource is one of those from which a group launches.
type imageSource struct {
	image, from string // of an override that names its own image
	template    *astypes.LaunchTemplateSpecification
}

// sourcesOf are those that the group may launch from: of a mixed group each override's own image or template, and the
// group's where one has neither.
func sourcesOf(group *astypes.AutoScalingGroup) (all []imageSource) {
	if group.LaunchTemplate != nil {
		return []imageSource{{template: group.LaunchTemplate}}
	}
	if group.MixedInstancesPolicy == nil || group.MixedInstancesPolicy.LaunchTemplate == nil {
		return nil
	}
	mixed := group.MixedInstancesPolicy.LaunchTemplate
	plain := len(mixed.Overrides) == 0
	for _, override := range mixed.Overrides {
		switch {
		case Deref(override.ImageId) != "":
			all = append(all, imageSource{image: *override.ImageId, from: "an override of its own"})
		case override.LaunchTemplateSpecification != nil:
			all = append(all, imageSource{template: override.LaunchTemplateSpecification})
		default:
			plain = true
		}
	}
	if plain && mixed.LaunchTemplateSpecification != nil {
		all = append([]imageSource{{template: mixed.LaunchTemplateSpecification}}, all...)
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
