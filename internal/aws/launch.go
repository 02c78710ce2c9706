package aws

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// ReadLaunch reads what a group launches from, as far as renewing its image depends on that, and the template's
// version. Shared and Dropped are left out. What cannot be renewed is an answer (Launch.Unusable), not an error.
func ReadLaunch(ctx context.Context, s *Services, in patch.Group) (
	*patch.Launch, *ec2types.ResponseLaunchTemplateData, error,
) {
	group, err := ReadGroup(ctx, s, in)
	if err != nil {
		return nil, nil, err
	}
	named, why := templateOf(group)
	if why != "" {
		return &patch.Launch{Unusable: why}, nil, nil
	}
	launch := &patch.Launch{Follows: Deref(named.Version), Tags: map[string]string{}}
	if launch.Follows == "" {
		launch.Follows = patch.FollowsDefault // API reference of LaunchTemplateSpecification
	}
	for _, tag := range group.Tags {
		launch.Tags[Deref(tag.Key)] = Deref(tag.Value)
	}
	template, err := ReadTemplate(ctx, s, in, named)
	if err != nil {
		return nil, nil, err
	}
	launch.Template, launch.TemplateName = Deref(template.LaunchTemplateId), Deref(template.LaunchTemplateName)
	launch.Default, launch.Latest = int(Deref(template.DefaultVersionNumber)), int(Deref(template.LatestVersionNumber))
	for _, tag := range template.Tags {
		launch.Tags[Deref(tag.Key)] = Deref(tag.Value)
	}
	version, err := ReadVersion(ctx, s, in, launch.Template, launch.Follows)
	if err != nil {
		return nil, nil, err
	}
	launch.Version = int(Deref(version.VersionNumber))
	data := version.LaunchTemplateData
	if data == nil {
		data = &ec2types.ResponseLaunchTemplateData{}
	}
	launch.Image = Deref(data.ImageId)
	launch.Unusable = unusable(launch, data)
	return launch, data, nil
}

// templateOf is the template by which a group launches all that it launches; else why there is none.
func templateOf(group *astypes.AutoScalingGroup) (*astypes.LaunchTemplateSpecification, string) {
	sources := sourcesOf(group)
	switch {
	case len(sources) == 0:
		return nil, "it has the launch configuration " + Deref(group.LaunchConfigurationName) +
			", which cannot be changed; give it a launch template"
	case len(sources) > 1 || sources[0].template == nil:
		return nil, "overrides of its mixed instances policy name images or launch templates of their own, of which each " +
			"needs an image of its own"
	}
	return sources[0].template, ""
}

// unusable says what of a version keeps a trial of it, or a new version, from being what the group launches.
func unusable(launch *patch.Launch, data *ec2types.ResponseLaunchTemplateData) string {
	switch {
	case launch.Image == "":
		return launch.String() + " names no image"
	case data.InstanceRequirements != nil:
		return launch.String() + " names attributes in the place of an instance type, by which RunInstances launches nothing"
	}
	for _, device := range data.BlockDeviceMappings {
		if device.Ebs != nil && Deref(device.Ebs.SnapshotId) != "" {
			return launch.String() + " maps " + Deref(device.DeviceName) + " to a snapshot, which a new version would not " +
				"take over"
		}
	}
	return ""
}

// Dropped says what an image of a root volume alone would lack of the image that a version names, or that it is not
// known; "": nothing. What the version maps by itself it launches with either way, unless the image's own mapping says
// more of it: a snapshot's content, or that it is encrypted.
func Dropped(
	ctx context.Context, s *Services, in patch.Group, launch *patch.Launch, data *ec2types.ResponseLaunchTemplateData,
) (string, error) {
	image, err := FindLaunchable(ctx, s, in, launch.Image)
	switch {
	case err != nil:
		return "", err
	case image == nil:
		return "the image " + launch.Image + " of " + launch.String() + " is not there any more, or not for this account: " +
			"what else it maps is not known; give the template one that is there, or write from: parameter", nil
	}
	for _, device := range image.BlockDeviceMappings {
		name := Deref(device.DeviceName)
		if device.Ebs == nil || name == Deref(image.RootDeviceName) {
			continue
		}
		i := slices.IndexFunc(data.BlockDeviceMappings, func(own ec2types.LaunchTemplateBlockDeviceMapping) bool {
			return Deref(own.DeviceName) == name
		})
		if i >= 0 && data.BlockDeviceMappings[i].NoDevice != nil {
			continue
		}
		if i < 0 || data.BlockDeviceMappings[i].Ebs == nil || Deref(device.Ebs.SnapshotId) != "" ||
			Deref(device.Ebs.Encrypted) && !Deref(data.BlockDeviceMappings[i].Ebs.Encrypted) {
			return "its image " + launch.Image + " maps " + name + " beside its root volume, which an image of ours would " +
				"lack; map it in the launch template, or write from: parameter", nil
		}
	}
	return "", nil
}

// FindLaunchable is an image that can be launched, of any owner; nil where it is not listed, or not available.
func FindLaunchable(ctx context.Context, s *Services, in patch.Group, id string) (*ec2types.Image, error) {
	image, err := FindImage(ctx, s, in.String(), id)
	if image == nil || err != nil || image.State != ec2types.ImageStateAvailable {
		return nil, err
	}
	return image, nil
}

// ReadTemplate reads a launch template; one that there is not is Refused by EC2.
func ReadTemplate(
	ctx context.Context, s *Services, in patch.Group, named *astypes.LaunchTemplateSpecification,
) (*ec2types.LaunchTemplate, error) {
	asked := &ec2.DescribeLaunchTemplatesInput{}
	if named.LaunchTemplateId != nil {
		asked.LaunchTemplateIds = []string{*named.LaunchTemplateId}
	} else {
		asked.LaunchTemplateNames = []string{Deref(named.LaunchTemplateName)}
	}
	out, err := s.Images.DescribeLaunchTemplates(ctx, asked)
	if err != nil {
		return nil, Wrap("read the launch template", in.String(), err)
	}
	if len(out.LaunchTemplates) == 0 {
		return nil, MayPass("%s: EC2 lists no launch template %s%s", in, Deref(named.LaunchTemplateId),
			Deref(named.LaunchTemplateName))
	}
	return &out.LaunchTemplates[0], nil
}

// ReadVersion reads one version of a launch template.
func ReadVersion(ctx context.Context, s *Services, in patch.Group, template, version string) (
	*ec2types.LaunchTemplateVersion, error,
) {
	out, err := s.EC2.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: &template, Versions: []string{version},
	})
	if err != nil {
		return nil, Wrap("read version "+version+" of the launch template "+template, in.String(), err)
	}
	if len(out.LaunchTemplateVersions) == 0 {
		return nil, MayPass("%s: EC2 lists no version %s of the launch template %s", in, version, template)
	}
	return &out.LaunchTemplateVersions[0], nil
}

// ReadVersionOf reads the version that a group launched from when that was read.
func ReadVersionOf(ctx context.Context, s *Services, in patch.Group, launch patch.Launch) (
	*ec2types.LaunchTemplateVersion, error,
) {
	return ReadVersion(ctx, s, in, launch.Template, strconv.Itoa(launch.Version))
}

// TemplateByID names a launch template.
func TemplateByID(id string) *astypes.LaunchTemplateSpecification {
	return &astypes.LaunchTemplateSpecification{LaunchTemplateId: &id}
}

// FindVersions lists a template's versions after one, oldest first: those that somebody made since.
func FindVersions(ctx context.Context, s *Services, in patch.Group, template string, after int) (
	found []ec2types.LaunchTemplateVersion, err error,
) {
	asked := &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &template}
	pages := ec2.NewDescribeLaunchTemplateVersionsPaginator(s.EC2, asked)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("list the versions of the launch template "+template, in.String(), err)
		}
		for _, version := range page.LaunchTemplateVersions {
			if int(Deref(version.VersionNumber)) > after {
				found = append(found, version)
			}
		}
	}
	slices.SortFunc(found, func(a, b ec2types.LaunchTemplateVersion) int {
		return int(Deref(a.VersionNumber) - Deref(b.VersionNumber))
	})
	return found, nil
}

func versionText(version *ec2types.LaunchTemplateVersion) string {
	return strconv.FormatInt(Deref(version.VersionNumber), 10)
}

// TemplateUse is a version of a template that a group launches from: a number, $Default or $Latest. In its place a
// group may have the image of an override, or a launch configuration.
type TemplateUse struct {
	Group, Template, Name, Version string

	Image, Configuration string
}

// ReadTemplateUses lists what the region's groups launch from. A template that a group names by its name has no id
// here.
func ReadTemplateUses(ctx context.Context, s *Services, in patch.Group) (uses []TemplateUse, err error) {
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(
		s.AutoScaling, &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: Ptr(int32(100))},
	)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("list the Auto Scaling groups", in.String(), err)
		}
		for i := range page.AutoScalingGroups {
			group := &page.AutoScalingGroups[i]
			if name := Deref(group.LaunchConfigurationName); name != "" {
				uses = append(uses, TemplateUse{Group: Deref(group.AutoScalingGroupName), Configuration: name})
			}
			for _, source := range sourcesOf(group) {
				if source.template == nil {
					uses = append(uses, TemplateUse{Group: Deref(group.AutoScalingGroupName), Image: source.image})
					continue
				}
				uses = append(uses, TemplateUse{
					Group: Deref(group.AutoScalingGroupName), Template: Deref(source.template.LaunchTemplateId),
					Name: Deref(source.template.LaunchTemplateName), Version: Deref(source.template.Version),
				})
			}
		}
	}
	return uses, nil
}

// Of reports whether it is of a template, by its id or its name.
func (u TemplateUse) Of(id, name string) bool {
	return u.Template != "" && u.Template == id || u.Template == "" && u.Name != "" && u.Name == name
}

// Number is the version's; 0: it follows the default or the latest.
func (u TemplateUse) Number() int {
	number, err := strconv.Atoi(u.Version)
	if err != nil {
		return 0
	}
	return number
}
