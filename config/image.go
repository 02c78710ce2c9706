package config

import (
	"slices"

	"github.com/patchtide/patchtide/internal/patch"
)

// Image says how the image is renewed that a group launches from.
type Image struct {
	From      patch.ImageFrom    `yaml:"from" required:"true" enum:"patched_instance,parameter,none" example:"patched_instance" doc:"From what. patched_instance: the root volume of one of the group's instances that the wave has patched and proven in service, taken while it runs; parameter: the image that parameter names; none: from nothing, which leaves a stage out of what its plan says."`
	Parameter string             `yaml:"parameter" pattern:"^(arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter)?/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$" example:"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64" doc:"With from: parameter, the parameter of Systems Manager, in the group's account and region, whose value is the image's id."`
	Promote   patch.ImagePromote `yaml:"promote" enum:"default,latest,none" default:"default" example:"latest" doc:"What becomes of an image that is proven. default: the launch template gets a new version with it, which is made its default; groups that follow $Default or $Latest launch from it; a group that names a version by its number is given the new one, and the default stays. latest: a new version, and the default stays; only groups that follow $Latest launch from it. none: no template is changed, and the image is named."`
	Keep      int                `yaml:"keep" min:"1" max:"100" default:"3" example:"5" doc:"How many images of Patchtide's a group keeps, the newest among them; the one that it launched from before stays with that. Older ones are deregistered and their snapshots deleted, where no launch template's default or latest version, no version that a group names and no instance uses them."`
	Force     bool               `yaml:"force" default:"false" example:"true" doc:"Whether a launch template is changed that CloudFormation or Terraform keeps, by its tags or its group's, or from which other groups launch as well, or though nothing of the application can be asked of a trial: no http, https or command check."`
}

// Short lets it be written as what it is made from alone.
func (Image) Short() string { return "from" }

func (i *Image) resolve() *patch.ImagePolicy {
	if i == nil {
		return nil
	}
	return &patch.ImagePolicy{
		From: i.From, Parameter: i.Parameter, Promote: i.Promote, Keep: i.Keep, Force: i.Force,
	}
}

// checkImage refuses what says of an image what cannot be done.
func (v *validator) checkImage(at string, image *Image, groups []Group) {
	if image == nil {
		return
	}
	const example = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
	switch {
	case image.From == patch.ImageNamed && image.Parameter == "":
		v.doc.Problem(at, "from: parameter needs the parameter that names the image; write parameter: %s", example)
	case image.From != patch.ImageNamed && image.Parameter != "":
		v.doc.Problem(at+".parameter", "is what from: parameter reads; remove it, or write from: parameter")
	}
	scales := func(group Group) bool { return group.AutoScalingGroup != "" }
	if image.From != patch.ImageNone && len(groups) > 0 && !slices.ContainsFunc(groups, scales) {
		v.doc.Problem(at, "renews what an Auto Scaling group launches, and there is none here; remove it")
	}
}

// checkTrial refuses to have a group launch an image of which nothing was asked but whether it boots: what can be asked
// of one outside its group is http, https and commands.
func (v *validator) checkTrial(at, ofPlan string, plan Plan, stage Stage) {
	image := stage.Image
	if image == nil {
		image, at = plan.Image, ofPlan
	}
	if image == nil || image.Force || image.Promote == patch.PromoteNone {
		return
	}
	named := image.From == patch.ImageNamed
	if !named && image.From != patch.ImagePatched || named != (image.Parameter != "") { // which is refused as it is
		return
	}
	scales := slices.ContainsFunc(stage.Groups, func(group Group) bool { return group.AutoScalingGroup != "" })
	asks := slices.ContainsFunc(stage.Health, func(check HealthCheck) bool {
		return check.HTTP != nil || check.HTTPS != nil || check.Command != nil
	})
	if scales && !asks {
		v.doc.Problem(at, "the stage %s asks nothing of the application that can be asked of an instance outside its "+
			"group, so that what boots would be launched from then on; give its health an http, https or command check, or "+
			"write promote: none, or force: true", stage.Name)
	}
}

// allGroups are those of every stage of a plan.
func (p Plan) allGroups() (groups []Group) {
	for _, stage := range p.Stages {
		groups = append(groups, stage.Groups...)
	}
	return groups
}
