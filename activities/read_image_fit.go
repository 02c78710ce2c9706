package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadImageFitInput asks whether instances of a group may get root volumes of an image.
type ReadImageFitInput struct {
	Group     patch.Group
	Image     string
	Instances []string
}

// ReadImageFit reads what AWS demands of an image for the root volumes of instances. It changes nothing, and judges
// each of them that is there.
func (a *AWS) ReadImageFit(ctx context.Context, in ReadImageFitInput) (_ *patch.ImageFit, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	instances, _, err := aws.ReadInstances(ctx, s, in.Group.String(), in.Instances)
	if err != nil {
		return nil, err
	}
	look, err := aws.ReadImageLook(ctx, s, in.Group, in.Image, instances)
	if err != nil {
		return nil, err
	}
	return look.Fit(), nil
}
