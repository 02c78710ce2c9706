package activities

import (
	"context"
	"slices"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadLaunchInput asks what an Auto Scaling group launches from.
type ReadLaunchInput struct {
	Group  patch.Group
	Donors []string // instances of which one is looked for that is in service, in this order; none: no one is

	Made *VersionMade // nil: none is looked for
}

// VersionMade is a version of a launch template that an attempt may have made.
type VersionMade struct {
	Template string // its id
	After    int    // which was the latest before
	Token    string // the attempt's
}

// LaunchRead is what it launches from, and who may give its root volume to an image.
type LaunchRead struct {
	Launch patch.Launch
	Donor  string // "": none of them is in service and runs
	Made   int    // the number of the version that was looked for; 0: it is not listed
}

// ReadLaunch reads what a group launches from and which other groups of the region do, too. What cannot be renewed is
// an answer: see patch.Launch.
func (a *AWS) ReadLaunch(ctx context.Context, in ReadLaunchInput) (_ *LaunchRead, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	launch, data, err := aws.ReadLaunch(ctx, s, in.Group)
	if err != nil {
		return nil, err
	}
	read := &LaunchRead{Launch: *launch}
	if made := in.Made; made != nil {
		since, err := aws.FindVersions(ctx, s, in.Group, made.Template, made.After)
		if err != nil {
			return nil, err
		}
		read.Made = versionWith(since, made.Token)
	}
	if len(in.Donors) > 0 && launch.Unusable == "" && isImageID(launch.Image) {
		if read.Launch.Dropped, err = aws.Dropped(ctx, s, in.Group, launch, data); err != nil {
			return nil, err
		}
	}
	if launch.Template != "" {
		uses, err := aws.ReadTemplateUses(ctx, s, in.Group)
		if err != nil {
			return nil, err
		}
		for _, use := range uses {
			if use.Group != in.Group.AutoScalingGroup && use.Of(launch.Template, launch.TemplateName) && reached(use, launch) {
				read.Launch.Shared = append(read.Launch.Shared, use.Group)
			}
		}
		slices.Sort(read.Launch.Shared)
	}
	if len(in.Donors) > 0 {
		donor, err := aws.FindDonor(ctx, s, in.Group, in.Donors)
		if err != nil {
			return nil, err
		}
		if donor != nil {
			read.Donor = aws.Deref(donor.InstanceId)
		}
	}
	return read, nil
}

// reached reports whether another group launches from a version that is made for one: of one that names its version by
// the number the default stays.
func reached(use aws.TemplateUse, launch *patch.Launch) bool {
	if launch.Numbered() {
		return use.Version == patch.FollowsLatest
	}
	return use.Number() == 0
}

// ReadNamedImageInput names a parameter of Systems Manager.
type ReadNamedImageInput struct {
	Group     patch.Group
	Parameter string
}

// ReadNamedImage is the id of the image that a parameter names.
func (a *AWS) ReadNamedImage(ctx context.Context, in ReadNamedImageInput) (_ string, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return "", err
	}
	image, err := aws.ReadParameter(ctx, s, in.Group.String(), in.Parameter)
	if err == nil && !isImageID(image) {
		// What it says instead may be a secret.
		err = once.Final(ErrInvalidInput, "%s: the parameter %s does not say an image's id, like ami-0123456789abcdef0",
			in.Group, in.Parameter)
	}
	return image, err
}
