package aws

import (
	"context"
	"slices"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// observeTargets reads the instance's health in the target groups that the caller names, those it was in before it went
// out, and in those that its group is attached to now.
func observeTargets(ctx context.Context, look *healthLook) (err error) {
	err = look.sighting.readTargets(ctx, look.services, look.Instance, look.TargetGroups)
	look.seen.Member.Targets, look.seen.Serving = look.sighting.Member.Targets, look.sighting.Serving
	return err
}

// readTargets reads how the instance is in each of the target groups and in those that its group is attached to, in a
// fixed order.
func (seen *Sighting) readTargets(ctx context.Context, s *Services, in Instance, arns []string) error {
	seen.Member.Targets, seen.health = nil, map[string][]elbtypes.TargetHealthDescription{}
	arns = slices.Compact(slices.Sorted(slices.Values(slices.Concat(arns, seen.Serving.Attached))))
	for _, arn := range arns {
		health, exists, err := readTargetHealth(ctx, s, in.String(), arn)
		if err != nil {
			return err
		}
		seen.health[arn] = health
		if !exists {
			seen.Serving.Gone = append(seen.Serving.Gone, arn)
		}
		seen.Member.Targets = append(seen.Member.Targets, targetsOf(arn, seen.machine, health)...)
	}
	sortTargets(seen.Member.Targets)
	return nil
}
