package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// observeTargets reads the instance's health in the target groups that the caller names: those it was in before it went
// out.
func observeTargets(ctx context.Context, _ *AWS, look *healthLook) (err error) {
	look.seen.Member.Targets, err = look.services.seeTargets(ctx, look.Instance, look.sight, look.TargetGroups)
	return err
}

// seeTargets reads how the instance is in each target group, in a fixed order.
func (s *Services) seeTargets(ctx context.Context, in Instance, sight sighting, arns []string) ([]patch.Target, error) {
	var targets []patch.Target
	for _, arn := range arns {
		health, err := targetHealth(ctx, s, in.String(), arn)
		if err != nil {
			return nil, err
		}
		targets = append(targets, targetsOf(arn, sight.machine, health)...)
	}
	sortTargets(targets)
	return targets, nil
}
