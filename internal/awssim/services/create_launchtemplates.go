package services

import (
	"fmt"

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
			name := aws.ToString(in.LaunchTemplateName)
			template, err := world.Once(
				regionOf(w, c), aws.ToString(in.ClientToken), fmt.Sprint(name, version, tags),
				func() (*world.LaunchTemplate, error) { return regionOf(w, c).CreateLaunchTemplate(name, version, tags) },
			)
			if err != nil {
				return nil, err
			}
			view := templateView(c, template)
			return &ec2.CreateLaunchTemplateOutput{LaunchTemplate: &view}, nil
		},
	)
	api.Handle(r, "ec2", "DeleteLaunchTemplate", []string{"LaunchTemplateId", "LaunchTemplateName"},
		func(c api.Call, in *ec2.DeleteLaunchTemplateInput) (*ec2.DeleteLaunchTemplateOutput, error) {
			template, err := templateNamed(regionOf(w, c), in.LaunchTemplateId, in.LaunchTemplateName)
			if err != nil {
				return nil, err
			}
			template, err = regionOf(w, c).DeleteLaunchTemplate(template.ID)
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
			if len(in.LaunchTemplateIds)+len(in.LaunchTemplateNames) > 0 {
				chosen = nil
			}
			for n := range len(in.LaunchTemplateIds) + len(in.LaunchTemplateNames) {
				var id, name *string
				if n < len(in.LaunchTemplateIds) {
					id = &in.LaunchTemplateIds[n]
				} else {
					name = &in.LaunchTemplateNames[n-len(in.LaunchTemplateIds)]
				}
				template, err := templateNamed(regionOf(w, c), id, name)
				if err != nil {
					return nil, err
				}
				chosen = append(chosen, template)
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

// templateNamed finds a template by its id or by its name, whichever is given; each has an error code of its own.
func templateNamed(region *world.Region, id, name *string) (*world.LaunchTemplate, error) {
	if (id == nil) == (name == nil) {
		return nil, api.Errorf("MissingParameter", "Specify either LaunchTemplateId or LaunchTemplateName, and not both")
	}
	if id == nil {
		return region.LaunchTemplate(*name)
	}
	if err := wellFormed("lt", *id); err != nil {
		return nil, err
	}
	template, err := region.LaunchTemplate(*id)
	if err != nil {
		return nil, api.Errorf(
			"InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", *id,
		)
	}
	return template, nil
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
