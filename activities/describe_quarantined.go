package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// ReadOutside reads a quarantined instance. It changes nothing.
func (a *AWS) ReadOutside(ctx context.Context, in Instance) (_ *Outside, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	return aws.ReadOutside(ctx, s, in)
}
