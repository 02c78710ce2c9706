package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadNextImageInput names an Auto Scaling group.
type ReadNextImageInput struct {
	Group patch.Group
}

// ReadNextImage reads which image a group launches its next instance from. It changes nothing.
func (a *AWS) ReadNextImage(ctx context.Context, in ReadNextImageInput) (_ *patch.NextImage, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	return aws.ReadNextImage(ctx, s, in.Group)
}
