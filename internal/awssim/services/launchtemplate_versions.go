package services

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerTemplateVersions(r *api.Registry, w *world.World) {
	find := func(c api.Call, id, name *string) (*world.LaunchTemplate, error) {
		return templateNamed(regionOf(w, c), id, name)
	}
	api.Handle(
		r,
		"ec2",
		"CreateLaunchTemplateVersion",
		[]string{
			"LaunchTemplateId",
			"LaunchTemplateName",
			"LaunchTemplateData",
			"SourceVersion",
			"VersionDescription",
			"ClientToken",
		},
		func(c api.Call, in *ec2.CreateLaunchTemplateVersionInput) (*ec2.CreateLaunchTemplateVersionOutput, error) {
			template, err := find(c, in.LaunchTemplateId, in.LaunchTemplateName)
			if err != nil {
				return nil, err
			}
			version, err := templateData(in.LaunchTemplateData)
			if err != nil {
				return nil, err
			}
			if in.SourceVersion != nil {
				_, source, err := template.Version(*in.SourceVersion)
				if err != nil {
					return nil, err
				}
				version = version.Over(source)
			}
			version.Description = aws.ToString(in.VersionDescription)
			n, err := world.Once(
				regionOf(w, c), aws.ToString(in.ClientToken), fmt.Sprint(template.ID, version), func() (int, error) {
					return template.AddVersion(version), nil
				})
			if err != nil {
				return nil, err
			}
			view := versionView(c, template, n)
			return &ec2.CreateLaunchTemplateVersionOutput{LaunchTemplateVersion: &view}, nil
		},
	)
	api.Handle(
		r,
		"ec2",
		"DescribeLaunchTemplateVersions",
		[]string{"LaunchTemplateId", "LaunchTemplateName", "Versions", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeLaunchTemplateVersionsInput) (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
			template, err := find(c, in.LaunchTemplateId, in.LaunchTemplateName)
			if err != nil {
				return nil, err
			}
			versions := []types.LaunchTemplateVersion{}
			for _, wanted := range in.Versions {
				n, _, err := template.Version(wanted)
				if err != nil {
					return nil, err
				}
				versions = append(versions, versionView(c, template, n))
			}
			if len(in.Versions) == 0 {
				for n := len(template.Versions); n > 0; n-- {
					versions = append(versions, versionView(c, template, n))
				}
			}
			page, next, err := cutPage(versions, in.NextToken, in.MaxResults, pageRange{1, 200, 200}, "InvalidParameterValue")
			return &ec2.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: page, NextToken: next}, err
		},
	)
	api.Handle(
		r,
		"ec2",
		"ModifyLaunchTemplate",
		[]string{"LaunchTemplateId", "LaunchTemplateName", "DefaultVersion", "ClientToken"},
		func(c api.Call, in *ec2.ModifyLaunchTemplateInput) (*ec2.ModifyLaunchTemplateOutput, error) {
			template, err := find(c, in.LaunchTemplateId, in.LaunchTemplateName)
			if err != nil {
				return nil, err
			}
			n, _, err := template.Version(aws.ToString(in.DefaultVersion))
			if err != nil {
				return nil, err
			}
			template.Default = n
			view := templateView(c, template)
			return &ec2.ModifyLaunchTemplateOutput{LaunchTemplate: &view}, nil
		},
	)
}

func versionView(c api.Call, template *world.LaunchTemplate, n int) types.LaunchTemplateVersion {
	version := template.Versions[n-1]
	data := &types.ResponseLaunchTemplateData{
		ImageId: notEmpty(version.Image), InstanceType: types.InstanceType(version.Type),
	}
	if version.Hibernates {
		data.HibernationOptions = &types.LaunchTemplateHibernationOptions{Configured: aws.Bool(true)}
	}
	if len(version.Tags) > 0 {
		data.TagSpecifications = []types.LaunchTemplateTagSpecification{
			{ResourceType: types.ResourceTypeInstance, Tags: ec2Tags(version.Tags)},
		}
	}
	return types.LaunchTemplateVersion{
		LaunchTemplateId: &template.ID, LaunchTemplateName: &template.Name, VersionNumber: aws.Int64(int64(n)),
		DefaultVersion:     aws.Bool(n == template.Default),
		VersionDescription: notEmpty(version.Description), LaunchTemplateData: data, CreatedBy: &c.Caller,
		CreateTime: &c.Time,
	}
}
