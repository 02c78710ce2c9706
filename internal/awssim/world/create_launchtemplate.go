package world

import (
	"strconv"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// LaunchTemplate says what an Auto Scaling group launches; its versions count from 1.
type LaunchTemplate struct {
	ID       string
	Name     string
	Versions []LaunchTemplateVersion
	Default  int
	Tags     Tags
}

// LaunchTemplateVersion is one version's data.
type LaunchTemplateVersion struct {
	Image string // id or name
	Type  string
	Tags  Tags // of launched instances

	Hibernates  bool // what it launches can hibernate
	Description string
}

// Over is the version laid over a source: what it does not say is as there.
func (v LaunchTemplateVersion) Over(source LaunchTemplateVersion) LaunchTemplateVersion {
	if v.Image == "" {
		v.Image = source.Image
	}
	if v.Type == "" {
		v.Type = source.Type
	}
	v.Hibernates = v.Hibernates || source.Hibernates
	if len(v.Tags) == 0 {
		v.Tags = source.Tags.Clone()
	}
	return v
}

// CreateLaunchTemplate makes a template with one version. A name in use is
// InvalidLaunchTemplateName.AlreadyExistsException.
func (r *Region) CreateLaunchTemplate(name string, version LaunchTemplateVersion, tags Tags) (*LaunchTemplate, error) {
	if name == "" {
		return nil, api.Errorf("MissingParameter", "The request must contain the parameter LaunchTemplateName")
	}
	if _, err := r.LaunchTemplate(name); err == nil {
		return nil, api.Errorf("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
	}
	template := &LaunchTemplate{
		ID: r.NewID("lt"), Name: name, Versions: []LaunchTemplateVersion{version}, Default: 1, Tags: tags.Clone(),
	}
	r.launchTemplates.put(template.ID, template)
	return template, nil
}

// LaunchTemplate finds a template by id or name; the error is EC2's.
func (r *Region) LaunchTemplate(idOrName string) (*LaunchTemplate, error) {
	for _, template := range r.launchTemplates.all() {
		if template.ID == idOrName || template.Name == idOrName {
			return template, nil
		}
	}
	return nil, api.Errorf(
		"InvalidLaunchTemplateName.NotFoundException",
		"At least one of the launch templates specified in the request does not exist.",
	)
}

// LaunchTemplates lists the region's templates.
func (r *Region) LaunchTemplates() []*LaunchTemplate { return r.launchTemplates.all() }

// DeleteLaunchTemplate forgets a template; groups made from it keep what they launch.
func (r *Region) DeleteLaunchTemplate(idOrName string) (*LaunchTemplate, error) {
	template, err := r.LaunchTemplate(idOrName)
	if err != nil {
		return nil, err
	}
	r.launchTemplates.drop(template.ID)
	return template, nil
}

// Version finds a version as requests write it: a number, $Latest, or $Default, which is also the empty text.
func (t *LaunchTemplate) Version(version string) (n int, found LaunchTemplateVersion, err error) {
	n = t.Default
	switch version {
	case "", "$Default":
	case "$Latest":
		n = len(t.Versions)
	default:
		if n, err = strconv.Atoi(version); err != nil || n < 1 || n > len(t.Versions) {
			return 0, found, api.Errorf(
				"InvalidLaunchTemplateId.VersionNotFound",
				"Could not find the specified version %s for the launch template with ID %s.", version, t.ID,
			)
		}
	}
	return n, t.Versions[n-1], nil
}

// AddVersion adds a version to a template; it is the latest, not the default.
func (t *LaunchTemplate) AddVersion(version LaunchTemplateVersion) int {
	t.Versions = append(t.Versions, version)
	return len(t.Versions)
}

// UseTemplate lets a group launch from a version of a template: later launches have its image, instances that run stay.
func (g *ScalingGroup) UseTemplate(template *LaunchTemplate, version string) {
	g.Template, g.TemplateVersion = template, version
	g.Region.Changed("group", g.Name, "launches from "+template.Name)
}

// launches is what the group launches now: image, type and tags of its template's version, and that version's number.
func (g *ScalingGroup) launches() (LaunchTemplateVersion, int) {
	if g.Template != nil {
		if n, version, err := g.Template.Version(g.TemplateVersion); err == nil {
			return version, n
		}
	}
	return LaunchTemplateVersion{Image: g.Image, Type: g.Type}, 0
}

func (g *ScalingGroup) launchesHibernating() bool {
	version, _ := g.launches()
	return version.Hibernates
}
