package services

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerLaunchTemplates(r *api.Registry, w *world.World) {
	registerTemplateVersions(r, w)
	api.Handle(
		r,
		"ec2",
		"CreateLaunchTemplate",
		[]string{"LaunchTemplateName", "LaunchTemplateData", "TagSpecifications", "ClientToken"},
		func(c api.Call, in *ec2.CreateLaunchTemplateInput) (*ec2.CreateLaunchTemplateOutput, error) {
			tags, err := specified(in.TagSpecifications, types.ResourceTypeLaunchTemplate)
			if err != nil {
				return nil, err
			}
			version, err := templateData(in.LaunchTemplateData)
			if err != nil {
				return nil, err
			}
			template, err := regionOf(w, c).CreateLaunchTemplate(aws.ToString(in.LaunchTemplateName), version, tags)
			if err != nil {
				return nil, err
			}
			view := templateView(c, template)
			return &ec2.CreateLaunchTemplateOutput{LaunchTemplate: &view}, nil
		},
	)
	api.Handle(r, "ec2", "DeleteLaunchTemplate", []string{"LaunchTemplateId", "LaunchTemplateName"},
		func(c api.Call, in *ec2.DeleteLaunchTemplateInput) (*ec2.DeleteLaunchTemplateOutput, error) {
			template, err := regionOf(w, c).DeleteLaunchTemplate(
				aws.ToString(in.LaunchTemplateId) + aws.ToString(in.LaunchTemplateName),
			)
			if err != nil {
				return nil, err
			}
			view := templateView(c, template)
			return &ec2.DeleteLaunchTemplateOutput{LaunchTemplate: &view}, nil
		})
	api.Handle(
		r,
		"ec2",
		"DescribeLaunchTemplates",
		[]string{"LaunchTemplateIds", "LaunchTemplateNames", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeLaunchTemplatesInput) (*ec2.DescribeLaunchTemplatesOutput, error) {
			chosen := regionOf(w, c).LaunchTemplates()
			if wanted := slices.Concat(in.LaunchTemplateIds, in.LaunchTemplateNames); len(wanted) > 0 {
				chosen = nil
				for _, name := range wanted {
					template, err := regionOf(w, c).LaunchTemplate(name)
					if err != nil {
						return nil, err
					}
					chosen = append(chosen, template)
				}
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, pageRange{1, 200, 200}, "InvalidParameterValue")
			out := &ec2.DescribeLaunchTemplatesOutput{NextToken: next, LaunchTemplates: []types.LaunchTemplate{}}
			for _, template := range page {
				out.LaunchTemplates = append(out.LaunchTemplates, templateView(c, template))
			}
			return out, err
		},
	)
}

// templateData reads the parts of a template that are modelled and refuses the others by name.
func templateData(data *types.RequestLaunchTemplateData) (world.LaunchTemplateVersion, error) {
	version := world.LaunchTemplateVersion{Tags: world.Tags{}}
	if data == nil {
		return version, api.Errorf("MissingParameter", "The request must contain the parameter LaunchTemplateData")
	}
	version.Image, version.Type = aws.ToString(data.ImageId), string(data.InstanceType)
	if data.HibernationOptions != nil {
		version.Hibernates = aws.ToBool(data.HibernationOptions.Configured)
	}
	rest := *data
	rest.ImageId, rest.InstanceType, rest.TagSpecifications, rest.HibernationOptions = nil, "", nil, nil
	if unknown := setFields(rest); len(unknown) > 0 {
		return version, api.NotModelled("%v in the data of a launch template", unknown)
	}
	for _, spec := range data.TagSpecifications {
		if spec.ResourceType != types.ResourceTypeInstance {
			return version, api.NotModelled("tags of %s in the data of a launch template", spec.ResourceType)
		}
		for key, value := range tagsOf(spec.Tags) {
			version.Tags[key] = value
		}
	}
	return version, nil
}

func templateView(c api.Call, template *world.LaunchTemplate) types.LaunchTemplate {
	return types.LaunchTemplate{
		LaunchTemplateId: &template.ID, LaunchTemplateName: &template.Name,
		DefaultVersionNumber: ref(int64(template.Default)),
		LatestVersionNumber:  ref(int64(len(template.Versions))), CreatedBy: &c.Caller, CreateTime: &c.Time,
		Tags: ec2Tags(template.Tags),
	}
}
