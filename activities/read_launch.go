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
}

// LaunchRead is what it launches from, and who may give its root volume to an image.
type LaunchRead struct {
	Launch patch.Launch
	Donor  string // "": none of them is in service and runs
}

// ReadLaunch reads what a group launches from and which other groups of the region do, too. What cannot be renewed is an
// answer: see patch.Launch.
func (a *AWS) ReadLaunch(ctx context.Context, in ReadLaunchInput) (_ *LaunchRead, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	launch, _, err := aws.ReadLaunch(ctx, s, in.Group)
	if err != nil {
		return nil, err
	}
	read := &LaunchRead{Launch: *launch}
	if launch.Template != "" {
		uses, err := aws.ReadTemplateUses(ctx, s, in.Group)
		if err != nil {
			return nil, err
		}
		for _, use := range uses {
			if use.Group != in.Group.AutoScalingGroup && use.Of(launch.Template, launch.TemplateName) && use.Number() == 0 {
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
		err = once.Final(ErrInvalidInput, "%s: the parameter %s says %q, which is no image's id", in.Group, in.Parameter,
			image)
	}
	return image, err
}
