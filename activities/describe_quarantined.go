package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// DescribeQuarantined reads a quarantined instance, and what keeps it from being attached to its group. It changes
// nothing.
func (a *AWS) DescribeQuarantined(ctx context.Context, in Instance) (_ *QuarantinedInstance, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	seen, err := aws.ReadQuarantined(ctx, s, in)
	if err != nil || !seen.Present || seen.Member != "" || !in.Group.IsAutoScaling() {
		return seen, err
	}
	group, _, err := aws.FindGroupAt(ctx, s, in.Group)
	switch {
	case err != nil:
		return nil, err
	case group == nil:
		seen.Unattachable = "its group does not exist any more; terminate the instance (patchtide quarantine terminate)"
	default:
		seen.Unattachable, err = aws.WhyNotAttachable(ctx, s, group, in, seen)
	}
	return seen, err
}
