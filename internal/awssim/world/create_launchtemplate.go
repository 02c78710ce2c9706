package world

import "github.com/patchtide/patchtide/internal/awssim/api"

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
}

// CreateLaunchTemplate makes a template with one version. A name in use is InvalidLaunchTemplateName.AlreadyExistsException.
func (r *Region) CreateLaunchTemplate(name string, version LaunchTemplateVersion, tags Tags) (*LaunchTemplate, error) {
	if name == "" {
		return nil, api.Errorf("MissingParameter", "The request must contain the parameter LaunchTemplateName")
	}
	if _, err := r.LaunchTemplate(name); err == nil {
		return nil, api.Errorf("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
	}
	template := &LaunchTemplate{ID: r.NewID("lt"), Name: name, Versions: []LaunchTemplateVersion{version}, Default: 1, Tags: tags.Clone()}
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
	return nil, api.Errorf("InvalidLaunchTemplateName.NotFoundException", "At least one of the launch templates specified in the request does not exist.")
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
