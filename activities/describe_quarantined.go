package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// DescribeQuarantined reads a quarantined instance. It changes nothing.
func (a *AWS) DescribeQuarantined(ctx context.Context, in Instance) (_ *QuarantinedInstance, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	return aws.ReadQuarantined(ctx, s, in)
}
