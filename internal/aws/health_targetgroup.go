package aws

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// observeTargets reads the instance's health in the target groups that the caller names: those it was in before it went
// out.
func observeTargets(ctx context.Context, look *healthLook) (err error) {
	look.seen.Member.Targets, err = readTargets(ctx, look.services, look.Instance, look.sighting, look.TargetGroups)
	return err
}

// readTargets reads how the instance is in each target group, in a fixed order.
func readTargets(
	ctx context.Context, s *Services, in Instance, sighting Sighting, arns []string,
) ([]patch.Target, error) {
	var targets []patch.Target
	for _, arn := range arns {
		health, err := readTargetHealth(ctx, s, in.String(), arn)
		if err != nil {
			return nil, err
		}
		targets = append(targets, targetsOf(arn, sighting.machine, health)...)
	}
	sortTargets(targets)
	return targets, nil
}
